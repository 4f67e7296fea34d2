import { z } from "zod";
import { agentViewSchema, siteViewSchema } from "./agent.ts";
import { webhookSecretSchema } from "./destination.ts";
import { errorShape } from "./error.ts";
import { contractNames, functionDocumentSchema, placementRulesSchema, revisionImageSchema } from "./function.ts";
import { requestHeadSchema } from "./exchange.ts";
import { historyQuerySchema, historySchema, recordPageQuerySchema, recordPageSchema } from "./history.ts";
import { invocationRecordSchema, invocationStates, invocationViewSchema } from "./invocation.ts";
import { logFilterSchema } from "./log-query.ts";
import { functionNameSchema, siteIdSchema } from "./names.ts";
import { pullProgressSchema } from "./order.ts";
import { queueViewSchema } from "./queue-view.ts";
import { scheduleDocumentSchema, scheduleListSchema, scheduleRunSchema, scheduleViewSchema } from "./schedule.ts";
import { labelsSchema, whereSchema } from "./where.ts";

/** Where a broker listens unless told otherwise. */
export const defaultPort = 4270;

/** A function as the API shows it: secrets are named, never shown. */
export const functionViewSchema = z.object({
  ...functionDocumentSchema.omit({ secrets: true, placement: true, contract: true, concurrency: true }).shape,
  placement: placementRulesSchema,
  contract: z.enum(contractNames),
  concurrency: z.number(),
  secretNames: z.array(z.string()),
  revision: z.number(),
  revisionId: z.string(),
  createdAt: z.string(),
  resolvedImage: revisionImageSchema,
});
export type FunctionView = z.output<typeof functionViewSchema>;

/** Answer of a PUT: what stands now, whether a revision was made, and which contract was chosen and why. */
export const deployAnswerSchema = z.object({
  function: functionViewSchema,
  created: z.boolean(),
  changed: z.boolean(),
  contractBecause: z.string(),
});
export type DeployAnswer = z.infer<typeof deployAnswerSchema>;

/** With `Accept: application/x-ndjson` a PUT answers in lines: progress, then the answer or an error. */
export const deployLineSchema = z.union([
  z.object({ progress: z.object({ siteId: z.string(), agentId: z.string(), pull: pullProgressSchema }) }),
  z.object({ answer: deployAnswerSchema }),
  z.object({ error: errorShape }),
]);
export type DeployLine = z.infer<typeof deployLineSchema>;

/** problem+json (RFC 9457) with our own fields; of a failed function also its result. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  ...errorShape.shape,
  invocationId: z.string().optional(),
});
export type Problem = z.infer<typeof problemSchema>;

export const tokenRequestSchema = z.strictObject({
  site: z.string(),
  labels: labelsSchema.default({}),
  /** A name for the agent; default: its host's. */
  agentId: z.string().optional(),
  regions: z.array(z.string()).optional(),
});
export type TokenRequest = z.infer<typeof tokenRequestSchema>;
export const tokenAnswerSchema = z.object({ token: z.string(), siteId: z.string(), expiresAt: z.string() });
export type TokenAnswer = z.infer<typeof tokenAnswerSchema>;

/** `POST /v1/join`: a host trades a token for a credential. The key never leaves the host: it sends the public half and a proof. */
export const joinRequestSchema = z.strictObject({
  tokenId: z.string().max(64),
  secret: z.string().max(128),
  /** An nkey user public key, `U…`. */
  publicKey: z.string().max(64),
  /** base64url of the key's signature over `longshore-join:<tokenId>`: proof that the host holds it. */
  proof: z.string().max(128),
  hostName: z.string().max(255),
});
export const joinAnswerSchema = z.object({
  agentId: z.string(),
  siteId: z.string(),
  labels: labelsSchema,
  /** User JWT for the fleet account, 24 h. */
  jwt: z.string(),
  /** Where the bus listens. */
  servers: z.array(z.string()),
  /** CA certificates (PEM) that bus and broker are checked against; absent on a loopback fleet without TLS. */
  ca: z.string().optional(),
});
export type JoinAnswer = z.infer<typeof joinAnswerSchema>;
export type JoinRequest = z.infer<typeof joinRequestSchema>;

/** `POST /v1/agents/{id}/renew`: a fresh JWT, by a request signed with the agent's key. */
export const renewRequestSchema = z.strictObject({
  /** The agent's clock, epoch milliseconds; at most five minutes off. */
  at: z.number(),
  /** base64url of the signature over `longshore-renew:<agentId>:<at>`. */
  proof: z.string().max(128),
});
export type RenewRequest = z.infer<typeof renewRequestSchema>;

/** `PUT /v1/registries/{host}`: credentials that a tenant's images of that registry are pulled with. */
export const registryLoginSchema = z.strictObject({
  username: z.string().min(1).max(256),
  password: z.string().min(1).max(16_384),
});
export type RegistryLogin = z.infer<typeof registryLoginSchema>;

/** A registry that the tenant has credentials for; the password is never shown. */
export const registryViewSchema = z.object({ host: z.string(), username: z.string(), updatedAt: z.string() });
export type RegistryView = z.infer<typeof registryViewSchema>;
export const registryListSchema = z.object({ registries: z.array(registryViewSchema) });

/** A key pair that AWS's clients sign with; the secret is shown once. */
export const awsKeyViewSchema = z.object({ accessKeyId: z.string(), createdAt: z.string() });
export type AwsKeyView = z.infer<typeof awsKeyViewSchema>;
export const awsKeyListSchema = z.object({ awsKeys: z.array(awsKeyViewSchema) });
/** `POST /v1/aws-keys`: a fresh key pair. */
export const awsKeySchema = awsKeyViewSchema.extend({ secretAccessKey: z.string() });
export type AwsKey = z.infer<typeof awsKeySchema>;

/** Whether what the bus acknowledges survives a power cut: seen to, not to be seen, seen not to. */
export const durabilityStates = ["verified", "assumed", "not_durable"] as const;
export type DurabilityState = (typeof durabilityStates)[number];

/** How durable the bus is, why that is thought, and how to mend what is to mend. */
export const durabilitySchema = z.object({ state: z.enum(durabilityStates), detail: z.string(), mend: z.string().optional() });
export type DurabilityView = Readonly<z.infer<typeof durabilitySchema>>;

/** `durability` is in the answer of `/readyz`; absent where a broker does not look. */
export const healthSchema = z.object({ status: z.enum(["ok", "unavailable"]), brokerId: z.string(), detail: z.string().optional(), durability: durabilitySchema.optional() });

/** No page of a listing is longer. */
export const maxPageItems = 1000;
/** Which page of a listing: it is in order of names, and goes on behind the name that the page before gave as `next`. */
export const pageQuerySchema = z.strictObject({
  limit: z.number().int().min(1).max(maxPageItems).default(maxPageItems),
  after: z.string().max(128).optional(),
});
export type PageQuery = z.output<typeof pageQuerySchema>;
export const agentPageQuerySchema = pageQuerySchema.extend({ site: siteIdSchema.optional() });
export type AgentPageQuery = z.output<typeof agentPageQuerySchema>;
/** There where more follow. */
const next = z.string().optional();
export const agentListSchema = z.object({ agents: z.array(agentViewSchema), next });
export type AgentList = z.output<typeof agentListSchema>;
export const siteListSchema = z.object({ sites: z.array(siteViewSchema) });
export const functionListSchema = z.object({ functions: z.array(functionViewSchema), next });
export type FunctionList = z.output<typeof functionListSchema>;
export const revisionListSchema = z.object({ revisions: z.array(functionViewSchema) });
export const drainRequestSchema = z.strictObject({ deadlineMs: z.number().int().min(0).max(3_600_000).default(60_000) });
export type DrainRequest = z.infer<typeof drainRequestSchema>;

/** Nothing waits longer to be begun. */
export const maxDelayMs = 30 * 24 * 3_600_000;
/** How an invocation is taken: `sync` waits for the answer; `async` is answered 202 once it is on disk, and begun when and as often as it takes. */
export const invokeQuerySchema = z.strictObject({
    mode: z.enum(["sync", "async"]).default("sync"),
    /** Async: not begun before that, RFC 3339 … */
    notBefore: z.iso.datetime({ offset: true }).optional(),
    /** … or not before so many milliseconds from now. */
    delayMs: z.number().int().min(0).max(maxDelayMs).optional(),
    /** Async: `expired` where it has not begun so many milliseconds after it might; default six hours. */
    maxAgeMs: z.number().int().min(1_000).max(maxDelayMs).optional(),
  });
export type InvokeQuery = z.output<typeof invokeQuerySchema>;
/** `GET /v1/invocations/{id}`: with `waitMs` the answer waits that long for the end of an accepted invocation. */
export const invocationQuerySchema = z.strictObject({ waitMs: z.number().int().min(0).max(60_000).default(0) });

/** Which page of a listing of invocations: it is in order of their last change, and goes on behind what the page before gave as `next`. */
const sequencePageSchema = z.strictObject({
  function: functionNameSchema.optional(),
  limit: z.number().int().min(1).max(100).default(50),
  after: z.number().int().min(0).default(0),
});
export const invocationPageQuerySchema = sequencePageSchema.extend({ state: z.enum(["pending", "finished"]).default("pending") });
export type InvocationPageQuery = z.output<typeof invocationPageQuerySchema>;
/** What stands in its place, but was damaged, or written by another version than that of the broker that was asked: all that is known of it. */
export const unreadableInvocationSchema = z.object({ invocationId: z.string(), functionName: z.string(), state: z.enum([...invocationStates, "finished"]) });
export type UnreadableInvocation = z.infer<typeof unreadableInvocationSchema>;
/** A page; what of it could not be read stands beside the others. Absent `unreadable`: everything could. */
export const invocationListSchema = z.object({ invocations: z.array(invocationViewSchema), unreadable: z.array(unreadableInvocationSchema).optional(), next: z.number().optional() });
export type InvocationList = z.infer<typeof invocationListSchema>;
export const deadLetterPageQuerySchema = sequencePageSchema;
export type DeadLetterPageQuery = z.output<typeof deadLetterPageQuerySchema>;
/** What is left of an accepted invocation that did not succeed: how it ended, and what it was. */
export const deadLetterSchema = z.object({
  record: invocationRecordSchema,
  /** What its caller sent, without the body. */
  request: requestHeadSchema,
  where: z.object(whereSchema.shape),
});
export type DeadLetter = z.infer<typeof deadLetterSchema>;
export const deadLetterListSchema = z.object({ deadLetters: z.array(deadLetterSchema), unreadable: z.array(unreadableInvocationSchema).optional(), next: z.number().optional() });
export type DeadLetterList = z.infer<typeof deadLetterListSchema>;
/** How many were submitted again, and how many could not be. */
export const redriveAnswerSchema = z.object({ redriven: z.number(), failed: z.number() });
export type RedriveAnswer = z.infer<typeof redriveAnswerSchema>;

/** One operation of the HTTP interface. */
export interface Route {
  readonly id: string;
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** `{name}` marks a part. */
  readonly path: string;
  readonly summary: string;
  /** Who may call: anybody, a holder of a key, or (join, renew) a holder of a proof in the body. */
  readonly access: "open" | "key" | "proof";
  /** Parameters of the query, where there are any. */
  readonly query?: z.ZodObject;
  readonly request?: z.ZodType;
  readonly response?: z.ZodType;
  /** The usual status of success. */
  readonly status: number;
}

/** Every operation of the HTTP interface; the broker's router and `/openapi.json` are made from it. Function URLs (`/f/{fn}/…`) and the socket stand beside it. */
export const routes = [
  { id: "putFunction", method: "PUT", path: "/v1/functions/{fn}", summary: "Deploy a function; makes a revision when something changed", access: "key", request: functionDocumentSchema, response: deployAnswerSchema, status: 200 },
  { id: "getFunction", method: "GET", path: "/v1/functions/{fn}", summary: "A function as it stands", access: "key", response: functionViewSchema, status: 200 },
  { id: "deleteFunction", method: "DELETE", path: "/v1/functions/{fn}", summary: "Remove a function and stop its instances", access: "key", status: 204 },
  { id: "listFunctions", method: "GET", path: "/v1/functions", summary: "The functions of the tenant, by name, in pages", access: "key", query: pageQuerySchema, response: functionListSchema, status: 200 },
  { id: "listRevisions", method: "GET", path: "/v1/functions/{fn}/revisions", summary: "A function's revisions, newest first", access: "key", response: revisionListSchema, status: 200 },
  { id: "functionLogs", method: "GET", path: "/v1/functions/{fn}/logs", summary: "Log lines of all instances as JSON lines", access: "key", query: logFilterSchema, status: 200 },
  { id: "invoke", method: "POST", path: "/v1/functions/{fn}/invocations", summary: "Invoke with the body's bytes and wait for the answer, or with mode=async have it accepted", access: "key", query: invokeQuerySchema, status: 200 },
  { id: "listInvocations", method: "GET", path: "/v1/invocations", summary: "Accepted invocations that have not ended, or that have, in pages", access: "key", query: invocationPageQuerySchema, response: invocationListSchema, status: 200 },
  { id: "getHistory", method: "GET", path: "/v1/history", summary: "What became of the tenant's invocations over time, by function", access: "key", query: historyQuerySchema, response: historySchema, status: 200 },
  { id: "listRecords", method: "GET", path: "/v1/records", summary: "Terminal records of sync and accepted invocations, newest first, in pages", access: "key", query: recordPageQuerySchema, response: recordPageSchema, status: 200 },
  { id: "getQueue", method: "GET", path: "/v1/queue", summary: "Accepted work as it stands, and what brokers and agents say of it", access: "key", response: queueViewSchema, status: 200 },
  { id: "listDeadLetters", method: "GET", path: "/v1/dead-letters", summary: "Accepted invocations that did not succeed, kept 14 days, in pages", access: "key", query: deadLetterPageQuerySchema, response: deadLetterListSchema, status: 200 },
  { id: "getDeadLetter", method: "GET", path: "/v1/dead-letters/{id}", summary: "One of them", access: "key", response: deadLetterSchema, status: 200 },
  { id: "getDeadLetterBody", method: "GET", path: "/v1/dead-letters/{id}/body", summary: "The bytes that its caller sent", access: "key", status: 200 },
  { id: "redriveDeadLetter", method: "POST", path: "/v1/dead-letters/{id}/redrive", summary: "Submit it again, as a new invocation", access: "key", response: invocationViewSchema, status: 202 },
  { id: "redriveDeadLetters", method: "POST", path: "/v1/functions/{fn}/dead-letters/redrive", summary: "Submit all of a function again", access: "key", response: redriveAnswerSchema, status: 200 },
  { id: "deleteDeadLetter", method: "DELETE", path: "/v1/dead-letters/{id}", summary: "Give it up", access: "key", status: 204 },
  { id: "getInvocation", method: "GET", path: "/v1/invocations/{id}", summary: "State or terminal record", access: "key", query: invocationQuerySchema, response: invocationViewSchema, status: 200 },
  { id: "cancelInvocation", method: "DELETE", path: "/v1/invocations/{id}", summary: "Cancel", access: "key", status: 202 },
  { id: "getResult", method: "GET", path: "/v1/invocations/{id}/result", summary: "The answer's body, while it is kept", access: "key", status: 200 },
  { id: "invocationLogs", method: "GET", path: "/v1/invocations/{id}/logs", summary: "Log lines of one invocation as JSON lines", access: "key", query: logFilterSchema, status: 200 },
  { id: "listSchedules", method: "GET", path: "/v1/schedules", summary: "The schedules of the tenant, by name, in pages; without their bodies", access: "key", query: pageQuerySchema, response: scheduleListSchema, status: 200 },
  { id: "putSchedule", method: "PUT", path: "/v1/schedules/{name}", summary: "Invoke a function by cron line or interval", access: "key", request: scheduleDocumentSchema, response: scheduleViewSchema, status: 200 },
  { id: "getSchedule", method: "GET", path: "/v1/schedules/{name}", summary: "A schedule as it stands", access: "key", response: scheduleViewSchema, status: 200 },
  { id: "deleteSchedule", method: "DELETE", path: "/v1/schedules/{name}", summary: "Remove a schedule; what it had accepted goes on", access: "key", status: 204 },
  { id: "pauseSchedule", method: "POST", path: "/v1/schedules/{name}/pause", summary: "No runs from now on", access: "key", response: scheduleViewSchema, status: 200 },
  { id: "resumeSchedule", method: "POST", path: "/v1/schedules/{name}/resume", summary: "Runs again; due times of the pause are not made up", access: "key", response: scheduleViewSchema, status: 200 },
  { id: "runSchedule", method: "POST", path: "/v1/schedules/{name}/run", summary: "Accept one invocation now, besides the due times", access: "key", response: scheduleRunSchema, status: 202 },
  { id: "listAgents", method: "GET", path: "/v1/agents", summary: "Agents with their live capacity, by name, in pages", access: "key", query: agentPageQuerySchema, response: agentListSchema, status: 200 },
  { id: "cordonAgent", method: "POST", path: "/v1/agents/{id}/cordon", summary: "Out of placement; work goes on", access: "key", response: agentViewSchema, status: 200 },
  { id: "uncordonAgent", method: "POST", path: "/v1/agents/{id}/uncordon", summary: "Back into placement", access: "key", response: agentViewSchema, status: 200 },
  { id: "drainAgent", method: "POST", path: "/v1/agents/{id}/drain", summary: "Cordon, finish what runs, stop instances", access: "key", request: drainRequestSchema, response: agentViewSchema, status: 200 },
  { id: "revokeAgent", method: "POST", path: "/v1/agents/{id}/revoke", summary: "Take its credential back, at once", access: "key", status: 204 },
  { id: "listSites", method: "GET", path: "/v1/sites", summary: "Every site with its capacity", access: "key", response: siteListSchema, status: 200 },
  { id: "listRegistries", method: "GET", path: "/v1/registries", summary: "Registries that the tenant has credentials for; no passwords", access: "key", response: registryListSchema, status: 200 },
  { id: "putRegistry", method: "PUT", path: "/v1/registries/{host}", summary: "Set the credentials for a registry", access: "key", request: registryLoginSchema, response: registryViewSchema, status: 200 },
  { id: "deleteRegistry", method: "DELETE", path: "/v1/registries/{host}", summary: "Forget the credentials for a registry", access: "key", status: 204 },
  { id: "listAwsKeys", method: "GET", path: "/v1/aws-keys", summary: "Key pairs for AWS's clients; no secrets", access: "key", response: awsKeyListSchema, status: 200 },
  { id: "createAwsKey", method: "POST", path: "/v1/aws-keys", summary: "Make a key pair for AWS's clients; its secret is shown this once", access: "key", response: awsKeySchema, status: 201 },
  { id: "deleteAwsKey", method: "DELETE", path: "/v1/aws-keys/{id}", summary: "Delete a key pair: its signatures are worth nothing from now on", access: "key", status: 204 },
  { id: "getWebhookSecret", method: "GET", path: "/v1/webhook-secret", summary: "What the tenant's webhooks are signed with; made when it is first asked for", access: "key", response: webhookSecretSchema, status: 200 },
  { id: "rotateWebhookSecret", method: "POST", path: "/v1/webhook-secret/rotate", summary: "A fresh secret; for 24 hours webhooks are signed with the old one as well", access: "key", response: webhookSecretSchema, status: 200 },
  { id: "createToken", method: "POST", path: "/v1/tokens", summary: "A join token: single use, 15 minutes", access: "key", request: tokenRequestSchema, response: tokenAnswerSchema, status: 201 },
  { id: "join", method: "POST", path: "/v1/join", summary: "Trade a join token for an agent's credential", access: "proof", request: joinRequestSchema, response: joinAnswerSchema, status: 200 },
  { id: "renewAgent", method: "POST", path: "/v1/agents/{id}/renew", summary: "A fresh credential, by the agent's signature", access: "proof", request: renewRequestSchema, response: joinAnswerSchema, status: 200 },
  { id: "healthz", method: "GET", path: "/healthz", summary: "The process is alive", access: "open", response: healthSchema, status: 200 },
  { id: "readyz", method: "GET", path: "/readyz", summary: "The bus is reached and the registry is read", access: "open", response: healthSchema, status: 200 },
  { id: "metrics", method: "GET", path: "/metrics", summary: "Prometheus text format", access: "key", status: 200 },
  { id: "agentMetrics", method: "GET", path: "/metrics/agents", summary: "Prometheus text format: what the agents in reach say of themselves", access: "key", status: 200 },
  { id: "openapi", method: "GET", path: "/openapi.json", summary: "This interface, as OpenAPI 3.1", access: "open", status: 200 },
] as const satisfies readonly Route[];

export type RouteId = (typeof routes)[number]["id"];

import { agentListSchema, type AgentView, agentViewSchema, type AwsKey, awsKeyListSchema, awsKeySchema, type AwsKeyView, type DeadLetter, deadLetterListSchema, deadLetterSchema, type DeployAnswer, type DeployLine, deployLineSchema, type FleetEvent, type FunctionDocument, functionListSchema, type FunctionView, functionViewSchema, headers, type History, type historyQuerySchema, historySchema, invocationListSchema, type InvocationRecord, type InvocationView, invocationViewSchema, type LogLine, LongshoreError, type QueueView, queueViewSchema, type RecordPage, type recordPageQuerySchema, recordPageSchema, type RedriveAnswer, redriveAnswerSchema, registryListSchema, type RegistryLogin, type RegistryView, registryViewSchema, revisionListSchema, type ScheduleDocument, scheduleListSchema, type ScheduleRun, scheduleRunSchema, type ScheduleView, scheduleViewSchema, siteListSchema, type SiteView, type TokenAnswer, tokenAnswerSchema, type UnreadableInvocation, type WebhookSecret, webhookSecretSchema } from "@longshore/protocol";
import type { z } from "zod";
import type { Answer, CallBody, CallOptions, Transport } from "./call.ts";
import { createHandle, type InvocationHandle } from "./handle.ts";
import { createHttpTransport } from "./http-call.ts";
import { HttpClient, type HttpRequest } from "./http-client.ts";
import { checkInput, checkOutput, type FunctionSchemas, invoke, type InvokeBody } from "./invoke.ts";
import { type LogOptions, logsOfFunctions, logsOverHttp, logsOverSocket } from "./logs.ts";
import { mapInputs, type MapInputs, type MapOptions, type MapResult } from "./map.ts";
import { type FleetOptions, resolveOptions } from "./options.ts";
import { outgoingCall } from "./outgoing.ts";
import { collect, pages, withQuery } from "./pages.ts";
import { readDocument } from "./read-document.ts";
import { createSocketTransport } from "./socket-call.ts";
import { SocketKeeper } from "./socket-keeper.ts";
import { submitOverSocket } from "./socket-submission.ts";
import { type EnqueueOptions, idOfView, submissionOf, submit, submitOverHttp } from "./submission.ts";
import { watchFleet } from "./watch.ts";

/** How far an image has come to one agent, while a function is deployed. */
export type DeployProgress = Extract<DeployLine, { progress: unknown }>["progress"];

/** A function whose input and output are checked. */
export type TypedFunction<Input extends z.ZodType, Output extends z.ZodType> = (input: z.input<Input>, options?: CallOptions) => Promise<z.output<Output>>;

/** A fleet, as programs see it. Every method rejects with a LongshoreError, `invoke` and typed functions also with an InvocationError. */
export interface Fleet extends AsyncDisposable {
  /** Calls a function and gives the answer as it comes, whatever it is. */
  call(functionName: string, body?: CallBody, options?: CallOptions): Promise<Answer>;
  /** Calls a function and gives its answer as a value; see {@link InvokeBody} for what is sent. */
  invoke(functionName: string, body?: InvokeBody, options?: CallOptions): Promise<unknown>;
  /**
   * Has an invocation accepted, to be begun when and as often as it takes; resolves once it is on disk, and so happens whoever dies. Sent
   * and tried again as {@link FleetOptions.connectTimeoutMs} allows. What is sent is what `invoke` would send; a stream is read whole first, a Blob (of a file, say) as it is sent.
   */
  enqueue(functionName: string, body?: InvokeBody, options?: EnqueueOptions): Promise<InvocationHandle>;
  /** Has the function invoked for each of many inputs; results in the order in which they come. See {@link MapOptions}. */
  map<Input extends InvokeBody>(functionName: string, inputs: MapInputs<Input>, options?: MapOptions): AsyncGenerator<MapResult<Input>, void>;
  /** A function with checked input and output, typed by their schemas. */
  function<Input extends z.ZodType, Output extends z.ZodType>(functionName: string, schemas: FunctionSchemas<Input, Output>): TypedFunction<Input, Output>;
  /**
   * Deploys; a new revision is made when something changed. Resolves once an agent has the image. With `local` the image is one that an
   * agent's engine has, and no registry is asked.
   */
  deploy(document: FunctionDocument, options?: { onProgress?: ((progress: DeployProgress) => void) | undefined; signal?: AbortSignal | undefined; local?: boolean | undefined }): Promise<DeployAnswer>;
  /** Every function, by name. */
  list(): Promise<readonly FunctionView[]>;
  /** The same one after another, asked for page by page. */
  eachFunction(): AsyncGenerator<FunctionView, void>;
  get(functionName: string): Promise<FunctionView>;
  revisions(functionName: string): Promise<readonly FunctionView[]>;
  remove(functionName: string): Promise<void>;
  /** What instances of a function, or of several, wrote on every agent: the last `tail` lines of it, then with `follow` what they go on to write. */
  logs(functionName: string | readonly string[], options?: LogOptions): AsyncGenerator<LogLine, void>;
  readonly agents: {
    /** Every agent, or every one of a site, by name. */
    list(options?: AgentListOptions): Promise<readonly AgentView[]>;
    /** The same one after another, asked for page by page: a large fleet is never in memory at once. */
    each(options?: AgentListOptions): AsyncGenerator<AgentView, void>;
    /** Takes no new work; what runs goes on. */
    cordon(agentId: string): Promise<AgentView>;
    uncordon(agentId: string): Promise<AgentView>;
    /** Cordons, and ends what it holds once what runs is done, or after `deadlineMs` (default 60 s). */
    drain(agentId: string, options?: { deadlineMs?: number | undefined }): Promise<AgentView>;
    /** Takes its credential back, at once. */
    revoke(agentId: string): Promise<void>;
  };
  readonly sites: { list(): Promise<readonly SiteView[]> };
  /** Credentials that images are pulled with, one for each registry's host (`registry.plant:5000`, `docker.io`). */
  readonly registries: {
    /** Passwords are never shown. */
    list(): Promise<readonly RegistryView[]>;
    set(host: string, login: RegistryLogin): Promise<RegistryView>;
    remove(host: string): Promise<void>;
  };
  /** Key pairs for AWS's own clients, which sign with them. */
  readonly awsKeys: {
    /** Secrets are never shown again. */
    list(): Promise<readonly AwsKeyView[]>;
    create(): Promise<AwsKey>;
    remove(accessKeyId: string): Promise<void>;
  };
  /** What the tenant's webhooks are signed with (Standard Webhooks); made when it is first asked for. */
  readonly webhookSecret: {
    get(): Promise<WebhookSecret>;
    /** A fresh one; for 24 hours webhooks are signed with the old one as well. */
    rotate(): Promise<WebhookSecret>;
  };
  readonly invocations: {
    /** Accepted invocations that have not ended (default), or that have, in order of their last change; asked for page by page. */
    each(options?: InvocationListOptions): AsyncGenerator<InvocationView, void>;
  };
  /** What became of invocations over time, of one function or of each: ten-second steps for an hour back, minutes for a day, quarters of an hour for a week. */
  history(query?: HistoryOptions): Promise<History>;
  /** Terminal records, newest first: of sync invocations for a quarter of an hour, of accepted ones for a week. */
  readonly records: {
    /** One page; it may be shorter than its limit, and even empty, while it has a `next`: the `before` of the following one. */
    page(query?: RecordQuery): Promise<RecordPage>;
    /** One after another, asked for page by page, `limit` at a time. */
    each(query?: RecordQuery): AsyncGenerator<InvocationRecord, void>;
  };
  /** What is left of accepted invocations that did not succeed; kept for 14 days. */
  readonly deadLetters: {
    each(options?: UnreadableOptions & { readonly function?: string | undefined }): AsyncGenerator<DeadLetter, void>;
    /** `dead_letter_not_found`, like all that name one. */
    get(invocationId: string): Promise<DeadLetter>;
    /** What its caller sent. */
    body(invocationId: string): Promise<Uint8Array>;
    /** Submits it again, as a new invocation. */
    redrive(invocationId: string): Promise<InvocationView>;
    /** All of a function. */
    redriveAll(functionName: string): Promise<RedriveAnswer>;
    remove(invocationId: string): Promise<void>;
  };
  /** Functions that are invoked at times. */
  readonly schedules: {
    /** Every schedule, by name, without their bodies. */
    list(): Promise<readonly ScheduleView[]>;
    get(name: string): Promise<ScheduleView>;
    /** Makes a schedule, or changes the one of that name; absent `paused` leaves a pause as it is. */
    set(document: ScheduleDocument): Promise<ScheduleView>;
    remove(name: string): Promise<void>;
    /** No runs from now on. */
    pause(name: string): Promise<ScheduleView>;
    /** Runs again; what came due in the pause is not made up. */
    resume(name: string): Promise<ScheduleView>;
    /** Has one invocation accepted now, besides the due times; under one key, however often that is asked, one. */
    run(name: string, options?: { readonly idempotencyKey?: string | undefined }): Promise<ScheduleRun>;
  };
  /** Accepted work as it stands, and what brokers and agents say of it; every agent is asked: for people who look, not to watch by. */
  readonly queue: { get(): Promise<QueueView> };
  readonly tokens: { create(request: TokenOptions): Promise<TokenAnswer> };
  invocation(invocationId: string): InvocationHandle;
  /** Every agent as it stands, `caught_up`, then what happens. Over a WebSocket only. */
  watch(options?: { signal?: AbortSignal | undefined }): AsyncGenerator<FleetEvent, void>;
  /** Closes the connection; calls under way reject with `connection_lost`. Idempotent. */
  close(): Promise<void>;
}

export interface InvocationListOptions extends UnreadableOptions {
  /** Only those of one function. */
  readonly function?: string | undefined;
  readonly state?: "pending" | "finished" | undefined;
}

/** A listing leaves out what was damaged, or written by another version than that of the broker that is asked. */
export interface UnreadableOptions {
  /** Told of each that is left out. */
  readonly onUnreadable?: ((unreadable: UnreadableInvocation) => void) | undefined;
}

/** Of which function, and how far back from now (`lastMs`, default an hour, at most a week). */
export type HistoryOptions = Readonly<z.input<typeof historyQuerySchema>>;

/** Which terminal records; `before` is RFC 3339, or a page's `next`. */
export type RecordQuery = Readonly<z.input<typeof recordPageQuerySchema>>;

export interface AgentListOptions {
  /** Only those of one site. */
  readonly site?: string | undefined;
}

export interface TokenOptions {
  readonly site: string;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Default: the host's name. */
  readonly agentId?: string | undefined;
  readonly regions?: readonly string[] | undefined;
}

/** A client of a fleet. Nothing is sent before it is used. */
export function createFleet(options: FleetOptions = {}): Fleet {
  const resolved = resolveOptions(options);
  const http = new HttpClient(resolved);
  const keeper = resolved.WebSocket === undefined ? undefined : new SocketKeeper(resolved, resolved.WebSocket);
  const transport: Transport = keeper === undefined ? createHttpTransport(http) : createSocketTransport(keeper, resolved.connectTimeoutMs);
  const submitOnce = keeper === undefined ? submitOverHttp(http) : submitOverSocket(keeper, submitOverHttp(http));
  const readLogs = keeper === undefined ? logsOverHttp(http) : logsOverSocket(keeper, resolved.connectTimeoutMs);
  const read = async <Schema extends z.ZodType>(schema: Schema, request: HttpRequest): Promise<z.output<Schema>> => readDocument(schema, await http.json(request), request.path);
  const functionPath = (name: string, rest = "") => `/v1/functions/${encodeURIComponent(name)}${rest}`;
  const agentPath = (agentId: string, verb: string) => `/v1/agents/${encodeURIComponent(agentId)}/${verb}`;
  const deadLetterPath = (invocationId: string, rest = "") => `/v1/dead-letters/${encodeURIComponent(invocationId)}${rest}`;
  const schedulePath = (name: string, verb = "") => `/v1/schedules/${encodeURIComponent(name)}${verb}`;
  const eachSchedule = () => pages("/v1/schedules", {}, (path) => read(scheduleListSchema, { method: "GET", path }), ({ schedules }) => schedules);
  const registryPath = (host: string) => `/v1/registries/${encodeURIComponent(host)}`;
  const eachFunction = () => pages("/v1/functions", {}, (path) => read(functionListSchema, { method: "GET", path }), ({ functions }) => functions);
  const eachAgent = ({ site }: AgentListOptions = {}) => pages("/v1/agents", { site }, (path) => read(agentListSchema, { method: "GET", path }), ({ agents }) => agents);
  const readRecords = (path: string) => read(recordPageSchema, { method: "GET", path });
  const overHttp = keeper === undefined ? transport : createHttpTransport(http);
  const call = async (name: string, body?: CallBody, callOptions: CallOptions = {}) => (callOptions.idempotencyKey === undefined ? transport : overHttp).call(outgoingCall(name, body, callOptions));

  const close = () => {
    keeper?.close();
    return Promise.resolve();
  };

  return {
    call,
    invoke: (name, body, callOptions = {}) => invoke(call, name, body, callOptions),
    async enqueue(name, body, enqueueOptions = {}) {
      const submission = await submissionOf(name, body, enqueueOptions);
      const view = await submit(submitOnce, submission, { withinMs: () => resolved.connectTimeoutMs, signal: enqueueOptions.signal });
      return createHandle(http, readLogs, idOfView(view), { isKnown: true });
    },
    map: (name, inputs, mapOptions = {}) => mapInputs({ http, submitOnce }, resolved.connectTimeoutMs, name, inputs, mapOptions),
    function: (name, { input, output }) => async (value, callOptions = {}) => checkOutput(name, output, await invoke(call, name, (await checkInput(name, input, value)) as InvokeBody, callOptions)),
    deploy: (document, deployOptions = {}) => deploy(http, functionPath(document.name), document, deployOptions),
    list: () => collect(eachFunction()),
    eachFunction,
    get: (name) => read(functionViewSchema, { method: "GET", path: functionPath(name) }),
    revisions: async (name) => (await read(revisionListSchema, { method: "GET", path: functionPath(name, "/revisions") })).revisions,
    remove: async (name) => {
      await http.json({ method: "DELETE", path: functionPath(name) });
    },
    logs: (name, logOptions = {}) => logsOfFunctions(readLogs, typeof name === "string" ? [name] : name, logOptions),
    agents: {
      list: (listOptions) => collect(eachAgent(listOptions)),
      each: eachAgent,
      cordon: (agentId) => read(agentViewSchema, { method: "POST", path: agentPath(agentId, "cordon") }),
      uncordon: (agentId) => read(agentViewSchema, { method: "POST", path: agentPath(agentId, "uncordon") }),
      drain: (agentId, drainOptions = {}) => read(agentViewSchema, { method: "POST", path: agentPath(agentId, "drain"), body: drainOptions }),
      revoke: async (agentId) => {
        await http.json({ method: "POST", path: agentPath(agentId, "revoke") });
      },
    },
    sites: { list: async () => (await read(siteListSchema, { method: "GET", path: "/v1/sites" })).sites },
    registries: {
      list: async () => (await read(registryListSchema, { method: "GET", path: "/v1/registries" })).registries,
      set: (host, login) => read(registryViewSchema, { method: "PUT", path: registryPath(host), body: login }),
      remove: async (host) => {
        await http.json({ method: "DELETE", path: registryPath(host) });
      },
    },
    awsKeys: {
      list: async () => (await read(awsKeyListSchema, { method: "GET", path: "/v1/aws-keys" })).awsKeys,
      create: () => read(awsKeySchema, { method: "POST", path: "/v1/aws-keys" }),
      remove: async (accessKeyId) => {
        await http.json({ method: "DELETE", path: `/v1/aws-keys/${encodeURIComponent(accessKeyId)}` });
      },
    },
    webhookSecret: {
      get: () => read(webhookSecretSchema, { method: "GET", path: "/v1/webhook-secret" }),
      rotate: () => read(webhookSecretSchema, { method: "POST", path: "/v1/webhook-secret/rotate" }),
    },
    invocations: {
      each: ({ function: functionName, state, onUnreadable }: InvocationListOptions = {}) => pages("/v1/invocations", { function: functionName, state }, (path) => read(invocationListSchema, { method: "GET", path }), ({ invocations, unreadable }) => told(invocations, unreadable, onUnreadable)),
    },
    history: (query = {}) => read(historySchema, { method: "GET", path: withQuery("/v1/history", textsOf(query)) }),
    records: {
      page: (query = {}) => readRecords(withQuery("/v1/records", textsOf(query))),
      each: (query = {}) => pages("/v1/records", textsOf(query), readRecords, ({ records }) => records, "before"),
    },
    deadLetters: {
      each: ({ function: functionName, onUnreadable } = {}) => pages("/v1/dead-letters", { function: functionName }, (path) => read(deadLetterListSchema, { method: "GET", path }), ({ deadLetters, unreadable }) => told(deadLetters, unreadable, onUnreadable)),
      get: (invocationId) => read(deadLetterSchema, { method: "GET", path: deadLetterPath(invocationId) }),
      body: (invocationId) => http.bytes({ method: "GET", path: deadLetterPath(invocationId, "/body") }),
      redrive: (invocationId) => read(invocationViewSchema, { method: "POST", path: deadLetterPath(invocationId, "/redrive") }),
      redriveAll: (name) => read(redriveAnswerSchema, { method: "POST", path: functionPath(name, "/dead-letters/redrive") }),
      remove: async (invocationId) => {
        await http.json({ method: "DELETE", path: deadLetterPath(invocationId) });
      },
    },
    schedules: {
      list: () => collect(eachSchedule()),
      get: (name) => read(scheduleViewSchema, { method: "GET", path: schedulePath(name) }),
      set: (document) => read(scheduleViewSchema, { method: "PUT", path: schedulePath(document.name), body: document }),
      remove: async (name) => {
        await http.json({ method: "DELETE", path: schedulePath(name) });
      },
      pause: (name) => read(scheduleViewSchema, { method: "POST", path: schedulePath(name, "/pause") }),
      resume: (name) => read(scheduleViewSchema, { method: "POST", path: schedulePath(name, "/resume") }),
      run: (name, { idempotencyKey } = {}) => read(scheduleRunSchema, { method: "POST", path: schedulePath(name, "/run"), ...(idempotencyKey !== undefined && { headers: { [headers.idempotencyKey]: idempotencyKey } }) }),
    },
    queue: { get: () => read(queueViewSchema, { method: "GET", path: "/v1/queue" }) },
    tokens: { create: (request) => read(tokenAnswerSchema, { method: "POST", path: "/v1/tokens", body: request }) },
    invocation: (invocationId) => createHandle(http, readLogs, invocationId),
    watch({ signal } = {}) {
      if (keeper === undefined) throw new LongshoreError("bad_schema", "Cannot watch over HTTP: use the WebSocket transport", { field: "transport" });
      return watchFleet(keeper, resolved.connectTimeoutMs, signal);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A query's values as they stand in a path. */
function textsOf(query: Readonly<Record<string, string | number | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, value === undefined ? undefined : String(value)]));
}

/** A page's items; whoever wants to is told of those that could not be read. */
function told<Item>(items: readonly Item[], unreadable: readonly UnreadableInvocation[] = [], tell: UnreadableOptions["onUnreadable"]): readonly Item[] {
  for (const each of unreadable) tell?.(each);
  return items;
}

async function deploy(http: HttpClient, path: string, document: FunctionDocument, { onProgress, signal, local = false }: NonNullable<Parameters<Fleet["deploy"]>[1]>): Promise<DeployAnswer> {
  for await (const line of http.lines({ method: "PUT", path: local ? `${path}?local=true` : path, body: document, signal })) {
    const told = readDocument(deployLineSchema, line, path);
    if ("progress" in told) onProgress?.(told.progress);
    else if ("answer" in told) return told.answer;
    else throw LongshoreError.fromShape(told.error);
  }
  throw new LongshoreError("connection_lost", `Cannot tell whether "${document.name}" was deployed: the connection ended before the answer`);
}

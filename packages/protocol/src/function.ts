import { z } from "zod";
import { type Destinations, destinationsSchema, webhookKeyOf } from "./destination.ts";
import { LongshoreError } from "./error.ts";
import { functionNameSchema, siteIdSchema } from "./names.ts";
import { labelKeySchema, labelsSchema, labelValueSchema } from "./where.ts";

/** How an image is talked to (contracts.md). `auto` is decided at deploy from the image's config. */
export const contractNames = ["http", "stdio", "lambda", "azure"] as const;
export type ContractName = (typeof contractNames)[number];

const mebibyte = 2 ** 20;
const environmentSchema = z
  .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,254}$/, "must be a variable's name"), z.string().max(128 * 1024).refine((value) => !value.includes("\0"), "must not contain NUL"))
  .refine((env) => Object.keys(env).length <= 512, "must have at most 512 variables")
  .refine((env) => Object.keys(env).every((name) => !name.startsWith("LONGSHORE_")), "must not set LONGSHORE_ variables");
const argumentsSchema = z.array(z.string().max(128 * 1024).refine((value) => !value.includes("\0"), "must not contain NUL")).max(256);
/** As Azure Functions names functions and bindings. */
const azureNameSchema = z.string().regex(/^[A-Za-z][\w-]{0,127}$/, "must be a name of letters, digits, - and _ that begins with a letter");
const integer = (min: number, max: number) => z.number().int().min(min).max(max);

/** Where a function may run: all that is set must hold; `prefer` only orders. */
export const placementRulesSchema = z.strictObject({
  sites: z.array(siteIdSchema).max(256).optional(),
  require: labelsSchema.optional(),
  prefer: z.array(z.strictObject({ key: labelKeySchema, value: labelValueSchema })).max(16).optional(),
  /** Regions that data may not leave; matched against the operator-set regions of a site only. */
  residency: z.array(labelKeySchema).max(64).optional(),
});
export type PlacementRules = z.infer<typeof placementRulesSchema>;

/**
 * A function document as users send it: strict, a slip names its field. Defaults are filled in by {@link resolveFunction}, since
 * some depend on the contract. Bytes, milliseconds and thousandths of a processor throughout.
 */
export const functionDocumentSchema = z.strictObject({
  name: functionNameSchema,
  image: z.string().min(1).max(512),
  contract: z.enum(["auto", ...contractNames]).default("auto"),
  command: argumentsSchema.min(1).optional(),
  args: argumentsSchema.optional(),
  /** Where the program begins; default: the image's own. */
  workingDirectory: z.string().regex(/^\/[^\0]*$/, "must be an absolute path").max(4096).optional(),
  env: environmentSchema.default({}),
  /** Environment variables whose values are never shown again: they travel in the start frame, not in the engine's config. */
  secrets: environmentSchema.default({}),
  /** http: the port the image listens on; default the one it exposes, else 8080. */
  port: integer(1, 65535).optional(),
  /** http: a path that must answer 2xx before the first call; default: the port accepts. */
  startProbePath: z.string().startsWith("/").max(1024).optional(),
  concurrency: integer(1, 1000).optional(),
  memoryBytes: integer(8 * mebibyte, 2 ** 40).default(256 * mebibyte),
  cpuMillis: integer(10, 1_000_000).default(1000),
  timeoutMs: integer(1, 3_600_000).default(30_000),
  startTimeoutMs: integer(1, 3_600_000).default(60_000),
  stopGraceMs: integer(0, 3_600_000).default(10_000),
  scratchBytes: integer(mebibyte, 2 ** 40).default(64 * mebibyte),
  network: z.enum(["none", "internet", "site"]).default("internet"),
  profile: z.enum(["standard", "strict"]).default("standard"),
  /** The engine's runtime that containers are made with (`runsc`, `kata`): only agents that have it run the function; default: the engine's own choice. */
  runtime: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, "must be a runtime's name").optional(),
  /** azure: how the image names the function; default: the function's own name. */
  azureFunction: azureNameSchema.optional(),
  /** azure: the binding of a trigger that is not HTTP, under which the payload arrives; default: an HTTP trigger named `req`. */
  azureTrigger: azureNameSchema.optional(),
  /** lambda, azure: the largest event and the largest answer that is not streamed; default 6 MiB. */
  payloadMaxBytes: integer(1, 2 ** 30).optional(),
  /** stdio: content type of the answer. */
  contentType: z.string().max(256).regex(/^[\x20-\x7e]+$/, "must be a header value").optional(),
  minInstances: integer(0, 1000).default(0),
  maxInstancesPerAgent: integer(1, 10_000).optional(),
  /** Accepted invocations of it that are with agents at once, over the whole fleet; others wait. */
  maxQueuedAtOnce: integer(1, 100_000).optional(),
  idempotent: z.boolean().default(false),
  retry: z.enum(["default", "never"]).default("default"),
  placement: placementRulesSchema.default({}),
  /** Where it is told what became of its accepted invocations; a sync caller has the answer itself. */
  destinations: destinationsSchema.optional(),
});
export type FunctionDocument = z.input<typeof functionDocumentSchema>;

/** A document with every default filled in and the contract decided: what a revision holds, what an agent is told. */
export type FunctionSpec = Omit<z.output<typeof functionDocumentSchema>, "contract" | "concurrency"> & {
  readonly contract: ContractName;
  readonly concurrency: number;
};

/**
 * Fills in the defaults that depend on the contract. Throws `bad_schema` naming `concurrency` where the contract has one invocation at a time, or the
 * `secretName` of a destination that webhooks cannot be signed with.
 */
export function resolveFunction(document: z.output<typeof functionDocumentSchema>, contract: ContractName): FunctionSpec {
  const isSingle = contract === "stdio" || contract === "lambda";
  if (isSingle && (document.concurrency ?? 1) !== 1) {
    throw new LongshoreError("bad_schema", `Cannot use function: concurrency must be 1, since an instance of contract "${contract}" serves one invocation at a time`, { phase: "admission", field: "concurrency" });
  }
  checkSigningSecrets(document.destinations ?? {}, document.secrets);
  return { ...document, contract, concurrency: document.concurrency ?? (contract === "http" ? 80 : 1) };
}

function checkSigningSecrets(destinations: Destinations, secrets: Readonly<Record<string, string>>): void {
  for (const [event, destination] of Object.entries(destinations)) {
    if (destination === undefined || !("url" in destination) || destination.secretName === undefined) continue;
    const secret = Object.hasOwn(secrets, destination.secretName) ? secrets[destination.secretName] : undefined;
    if (secret !== undefined && webhookKeyOf(secret) !== undefined) continue;
    const because = secret === undefined ? "is none of its secrets" : "is no webhook secret: whsec_ and 24 to 64 bytes in base64";
    throw new LongshoreError("bad_schema", `Cannot use function: secret "${destination.secretName}" ${because}`, { phase: "admission", field: `destinations.${event}.secretName` });
  }
}

/** The image of a revision: fixed by digest (or by image id where it exists only in one engine). */
export const revisionImageSchema = z.object({
  /** As the user wrote it. */
  reference: z.string(),
  /** `sha256:…`: the manifest's digest; the image id when `local`. */
  digest: z.string(),
  /** True when the image exists only in an engine: placeable only where it is present, never pulled. */
  local: z.boolean(),
  architecture: z.string(),
  sizeBytes: z.number(),
  /** What a reader of the image's config needs: entrypoint, command, exposed TCP ports. */
  entrypoint: z.array(z.string()),
  command: z.array(z.string()),
  exposedPorts: z.array(z.number()),
});
export type RevisionImage = z.infer<typeof revisionImageSchema>;

/** A spec on the wire: every field there, unknown ones ignored. */
export const functionSpecSchema = z.object({
  ...functionDocumentSchema.shape,
  contract: z.enum(contractNames),
  concurrency: integer(1, 1000),
});

/** An immutable snapshot of a function. `digest` names its whole definition with its tenant: equal digests may share instances. */
export const revisionSchema = z.object({
  tenantId: z.string(),
  functionName: functionNameSchema,
  revision: z.number().int().positive(),
  revisionId: z.string(),
  digest: z.string().regex(/^[0-9a-f]{32}$/),
  createdAt: z.string(),
  image: revisionImageSchema,
  spec: functionSpecSchema,
});
export type Revision = Omit<z.output<typeof revisionSchema>, "spec"> & { readonly spec: FunctionSpec };

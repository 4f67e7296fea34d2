import { z } from "zod";
import { requestHeadSchema } from "./exchange.ts";
import { revisionSchema } from "./function.ts";
import { invocationIdSchema } from "./names.ts";

/** Credentials for one registry; sealed in transit by the bus, never written down by the agent. */
export const registryCredentialSchema = z.object({ username: z.string(), password: z.string() });
export type RegistryCredential = z.infer<typeof registryCredentialSchema>;

/**
 * What a broker orders of an agent. A run order names a revision by digest; an agent that does not know it (it restarted, say)
 * answers `revision_unknown`, and the broker sends it along with the next attempt. Secrets travel only here.
 */
export const runOrderSchema = z.object({
  invocationId: invocationIdSchema,
  attempt: z.number().int().positive(),
  revisionDigest: z.string(),
  /** The revision itself, when the agent may not know it. */
  revision: revisionSchema.optional(),
  /** Along with the revision: for the registry of its image, where the tenant has one. */
  credential: registryCredentialSchema.optional(),
  /** Time left, counted down by the agent on its own monotonic clock. */
  remainingMs: z.number().nonnegative(),
  request: requestHeadSchema,
  /** True when `data` and `end` follow; false when the frame's body is the whole. */
  more: z.boolean(),
  /** The body's length where it is known; absent for a chunked one. */
  bodyBytes: z.number().int().nonnegative().optional(),
  /** The caller asked to switch protocols (WebSocket): the body is what it sends after that. */
  upgrade: z.boolean().optional(),
  /** It came through the function's URL, so that it is an HTTP request even where the contract has events. */
  viaUrl: z.boolean().optional(),
  /**
   * An attempt at an accepted invocation: the agent answers that it has begun, once that is on its disk; what became of it goes to any
   * broker, again and again, until one says that it is stored.
   */
  accepted: z
    .object({
      acceptedAt: z.string(),
      /** The process of the agent that it is meant for: another one must not begin it, since its broker has been told what became of that one's. */
      incarnation: z.string(),
    })
    .optional(),
});
export type RunOrder = z.infer<typeof runOrderSchema>;

/** Names an attempt. */
const attemptKeySchema = z.object({ invocationId: invocationIdSchema, attempt: z.number().int().positive() });
/** Nobody asks of more attempts at once. */
export const maxAttemptsAsked = 1000;
/** What an agent has not, or not for good, of the attempts that it was asked about. */
export const confirmAnswerSchema = z.object({
  /** It has them not, and will not begin them. */
  unknown: z.array(attemptKeySchema),
  /** It has them, and their start is not on its disk yet: should it die, nobody would know of them. */
  waiting: z.array(attemptKeySchema).default([]),
});
export type ConfirmAnswer = z.infer<typeof confirmAnswerSchema>;
/** Attempts at accepted invocations that an agent has; `unreadable`: so many that ended there it can say nothing of. */
export const holdingsSchema = z.object({ running: z.array(attemptKeySchema), waiting: z.array(attemptKeySchema), unreadable: z.number().int().nonnegative().default(0) });

/** Where a line of log was written; `system`: the agent's, or a broker's, own words. */
export const logStreams = ["stdout", "stderr", "system"] as const;
/** Nobody is told more lines than that of what was written before. */
export const maxTailLines = 10_000;

/**
 * Everything else a broker asks of an agent: opened on the ask subject, answered by one complete `answer` whose body is JSON, or,
 * where it says so, by a streamed body of JSON lines.
 */
export const askSchema = z.discriminatedUnion("ask", [
  /** Introduce yourself again (a broker that has just started asks). Answered by an empty body and an introduction. */
  z.object({ ask: z.literal("introduce") }),
  /** What image is this? With `pull` it may be fetched, and progress comes as lines; the last line is `{ image: ImageFacts }`. */
  z.object({ ask: z.literal("inspect_image"), reference: z.string(), pull: z.boolean(), credential: registryCredentialSchema.optional() }),
  /** Know this revision, have its image, hold `held` instances of it and keep at least `minimum` begun. Answered when the image is there. */
  z.object({ ask: z.literal("prepare"), revision: revisionSchema, held: z.number().int(), minimum: z.number().int().nonnegative().default(0), credential: registryCredentialSchema.optional() }),
  /** This revision is no longer current: stop its instances once they are idle. */
  z.object({ ask: z.literal("retire"), revisionDigest: z.string() }),
  /** Take no new work, finish what runs within `deadlineMs`, then say so by answering. */
  z.object({ ask: z.literal("drain"), deadlineMs: z.number() }),
  /** Undo a drain that has not ended the process. */
  z.object({ ask: z.literal("resume") }),
  /** What became of these attempts is stored: the agent need not keep it any more. */
  z.object({ ask: z.literal("settle"), attempts: z.array(attemptKeySchema).max(maxAttemptsAsked) }),
  /**
   * Which of these attempts has the agent not? It must not begin them any more from then on. Of those that it has it ends the ones with
   * `cancel`. Answered by {@link confirmAnswerSchema}.
   */
  z.object({ ask: z.literal("confirm"), attempts: z.array(attemptKeySchema.extend({ cancel: z.boolean().default(false) })).max(maxAttemptsAsked) }),
  /** What has the agent of accepted work? Changes nothing. Answered by {@link holdingsSchema}. */
  z.object({ ask: z.literal("holdings") }),
  /** The answer of an attempt whose outcome said that it follows: its bytes, as a streamed body. */
  z.object({ ask: z.literal("answer"), ...attemptKeySchema.shape }),
  /** Lines of log, as a streamed body of {@link logLineSchema} JSON lines; with `follow` until cancelled. */
  z.object({
    ask: z.literal("logs"),
    functionName: z.string().optional(),
    tenantId: z.string(),
    invocationId: z.string().optional(),
    tail: z.number().int().nonnegative().max(maxTailLines),
    follow: z.boolean(),
    /** Only lines that are no older than that. */
    sinceMs: z.number().nonnegative().optional(),
    /** Only lines later than this `at` of the agent's own. */
    after: z.string().optional(),
    instanceId: z.string().optional(),
    stream: z.enum(logStreams).optional(),
    /** Say `{ caughtUp: true }` between the lines that were there and those that come. */
    marks: z.boolean().optional(),
  }),
]);
export type Ask = z.infer<typeof askSchema>;

/** What an engine knows of an image, as far as a revision needs it. */
export const imageFactsSchema = z.object({
  /** The image's id in that engine. */
  imageId: z.string(),
  /** Repository digests, `name@sha256:…`; empty for an image that exists only there. */
  repositoryDigests: z.array(z.string()),
  architecture: z.string(),
  sizeBytes: z.number(),
  entrypoint: z.array(z.string()),
  command: z.array(z.string()),
  exposedPorts: z.array(z.number()),
  /** Absolute paths where the image wants a volume. */
  volumes: z.array(z.string()).default([]),
  /** Names and values as in the image's config. */
  env: z.array(z.string()),
  labels: z.record(z.string(), z.string()),
  user: z.string(),
  workingDirectory: z.string(),
  stopSignal: z.string().optional(),
  /** What in its config no container can be made of, each naming the field; empty: it is in order. */
  faults: z.array(z.string()).default([]),
});
export type ImageFacts = z.infer<typeof imageFactsSchema>;

/** Progress of a pull: bytes over all layers, as far as the engine has named them. */
export const pullProgressSchema = z.object({ layers: z.number(), layersDone: z.number(), bytes: z.number(), bytesDone: z.number() });
export type PullProgress = z.infer<typeof pullProgressSchema>;

/** One line of the `inspect_image` stream. */
export const inspectLineSchema = z.union([z.object({ progress: pullProgressSchema }), z.object({ image: imageFactsSchema })]);

/** One line an instance wrote. */
export const logLineSchema = z.object({
  at: z.string(),
  siteId: z.string(),
  agentId: z.string(),
  instanceId: z.string(),
  functionName: z.string(),
  revisionId: z.string(),
  /** Set where one instance serves one invocation at a time. */
  invocationId: z.string().optional(),
  stream: z.enum(logStreams),
  line: z.string(),
});
export type LogLine = z.infer<typeof logLineSchema>;

/**
 * Sent on the orphan subject, what became of an invocation whose broker is gone; and on the outcome subject, what became of an attempt at an
 * accepted one. The frame is an `answer`, this its head's `orphan`.
 */
export const orphanSchema = z.object({
  invocationId: invocationIdSchema,
  attempt: z.number().int(),
  tenantId: z.string(),
  functionName: z.string(),
  revisionId: z.string(),
  acceptedAt: z.string(),
  payloadBytes: z.number(),
});
export type Orphan = z.infer<typeof orphanSchema>;

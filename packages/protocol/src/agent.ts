import { z } from "zod";
import { agentIdSchema, siteIdSchema } from "./names.ts";
import { labelsSchema } from "./where.ts";

/** A count or size that an agent states; whatever else it sends is refused by the roster. */
const amount = z.number().nonnegative().max(2 ** 53);

/** What an agent says of its host, once per connection and at change. */
export const introductionSchema = z.object({
  protocolVersion: z.number().int(),
  agentId: agentIdSchema,
  siteId: siteIdSchema,
  /** Random per process: a second process on the same credential is told by it. */
  incarnation: z.string().max(64),
  version: z.string().max(64),
  hostName: z.string().max(255),
  /** `amd64`, `arm64`: as images name it. */
  architecture: z.string().max(32),
  engine: z.object({ name: z.string().max(64), version: z.string().max(64) }),
  cpuMillis: amount,
  memoryBytes: amount,
  diskFreeBytes: amount,
  /** `host/…` labels: what the host is, by its own account. */
  hostLabels: labelsSchema,
  /** Runtimes of the engine: `runc`, `runsc` … */
  runtimes: z.array(z.string().max(64)).max(32),
  canHold: z.boolean(),
});
export type Introduction = z.infer<typeof introductionSchema>;

/** What an agent has of one revision at one moment. */
export const revisionCapacitySchema = z.object({
  revisionDigest: z.string().max(64),
  /** Slots free on instances that are begun. */
  freeSlots: amount,
  /** Invocations under way, those that wait for an instance to start included. */
  running: amount,
  /** All instances, whatever their phase: begun, ending, and those of the next two counts. */
  instances: amount,
  held: amount,
  starting: amount,
  imagePresent: z.boolean(),
});
export type RevisionCapacity = z.infer<typeof revisionCapacitySchema>;

export const agentStates = ["ready", "draining", "unhealthy"] as const;
export type AgentState = (typeof agentStates)[number];

/** The disk on which an agent's engine keeps images. */
export const diskStateSchema = z.object({
  totalBytes: amount,
  freeBytes: amount,
  /** What the images take that this agent pulled, each with all of its layers. */
  imagesBytes: amount,
  /** Too little is free, though every image that could go is gone: the agent pulls none, and runs what it has. */
  pressure: z.boolean(),
});
export type DiskState = z.infer<typeof diskStateSchema>;

/** State and live capacity, every few seconds and soon after a change that matters. */
export const heartbeatSchema = z.object({
  agentId: agentIdSchema,
  siteId: siteIdSchema,
  incarnation: z.string().max(64),
  sequence: z.number().int().nonnegative(),
  state: z.enum(agentStates),
  /** Why it is unhealthy, for people. */
  detail: z.string().max(512).optional(),
  memoryBytes: amount,
  /** Memory not promised to an instance; held and idle instances of others that could be evicted count as free. */
  memoryFreeBytes: amount,
  instancesMax: amount,
  instancesFree: amount,
  /** A function with fewer instances there than that, none of them on its way, would be given one though none is free: others cede it once its work is done. */
  cedesBelow: amount.default(0),
  running: amount,
  idle: amount,
  held: amount,
  /** Absent where the agent cannot see that disk. */
  disk: diskStateSchema.optional(),
  revisions: z.array(revisionCapacitySchema).max(10_000),
});
export type Heartbeat = z.infer<typeof heartbeatSchema>;

/** What people and programs see of an agent: `GET /v1/agents`. */
export const agentViewSchema = z.object({
  agentId: z.string(),
  siteId: z.string(),
  state: z.enum([...agentStates, "lost", "refused"]),
  cordoned: z.boolean(),
  detail: z.string().optional(),
  labels: labelsSchema,
  lastHeardAt: z.string(),
  introduction: introductionSchema.optional(),
  capacity: heartbeatSchema.omit({ revisions: true, agentId: true, siteId: true, incarnation: true, state: true, detail: true }),
  functions: z.array(z.object({ revisionId: z.string(), running: z.number(), instances: z.number(), held: z.number(), freeSlots: z.number() })),
});
export type AgentView = z.infer<typeof agentViewSchema>;

/** A site as an operator set it: `GET /v1/sites`. */
export const siteViewSchema = z.object({
  siteId: z.string(),
  regions: z.array(z.string()),
  /** Tenants that may use it; absent: all. */
  tenants: z.array(z.string()).optional(),
  agents: z.number(),
  ready: z.number(),
  running: z.number(),
  memoryBytes: z.number(),
  memoryFreeBytes: z.number(),
});
export type SiteView = z.infer<typeof siteViewSchema>;

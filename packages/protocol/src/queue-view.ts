import { z } from "zod";

const count = z.number().int().nonnegative();

/** What a broker says of its part of the queue. */
export const queueBrokerSchema = z.object({
  /** How many of the queue's partitions it tries. */
  partitions: count.default(0),
  queued: count.default(0),
  /** Attempts that it sent, or found sent, and of which no agent has said yet that it has them. */
  unconfirmed: count.default(0),
  /** What it cannot read: another version wrote it. */
  unreadable: count.default(0),
});
export type QueueBroker = z.infer<typeof queueBrokerSchema>;

/** The attempts that brokers believe an agent to have, against what it says. */
export const queueAgentSchema = z.object({
  siteId: z.string(),
  agentId: z.string(),
  /** False: it is not heard; `revoked`: nor ever will be. */
  heard: z.boolean(),
  revoked: z.boolean(),
  believed: count,
  /** Absent: it did not say. Attempts that run there, and results that it keeps for a broker. */
  running: count.optional(),
  waiting: count.optional(),
  /** Believed to be there and, by its word, not. */
  missing: count.optional(),
  /** Running there, and not believed to. */
  unknown: count.optional(),
  /** Ended there; neither result nor start can be read. */
  unreadable: count.optional(),
});
export type QueueAgent = z.infer<typeof queueAgentSchema>;

/** `GET /v1/queue`: accepted work as it stands, of all tenants; by name only what is the caller's own. */
export const queueViewSchema = z.object({
  /** May begin now, and is with no agent. */
  waiting: count,
  /** Is not to begin yet. */
  delayed: count,
  withAgents: count,
  /** Was taken out of the queue by the server, since no broker had ended it in time, and has no record yet. */
  overdue: count,
  deadLetters: count,
  partitions: count,
  /** Of the caller's tenant, what might have begun the longest. */
  oldestWaiting: z.object({ invocationId: z.string(), functionName: z.string(), sinceMs: z.number(), why: z.string() }).optional(),
  brokers: z.array(queueBrokerSchema.extend({ brokerId: z.string() })),
  agents: z.array(queueAgentSchema),
});
export type QueueView = z.infer<typeof queueViewSchema>;

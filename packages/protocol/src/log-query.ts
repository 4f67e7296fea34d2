import { z } from "zod";
import { logLineSchema, logStreams, maxTailLines } from "./order.ts";

/** Which log lines are wanted: the query of the HTTP paths, and a part of the socket's `open`. */
export const logFilterSchema = z.strictObject({
  /** At most that many lines from before, the last ones. */
  tail: z.number().int().nonnegative().max(maxTailLines).default(100),
  /** Go on with what is written from now on. */
  follow: z.boolean().default(false),
  /** Only lines that are no older, by the clock of the agent that took them. */
  sinceMs: z.number().int().nonnegative().max(2 ** 48).optional(),
  siteId: z.string().max(64).optional(),
  agentId: z.string().max(64).optional(),
  instanceId: z.string().max(64).optional(),
  stream: z.enum(logStreams).optional(),
});
export type LogFilter = z.output<typeof logFilterSchema>;

/** What an agent's streamed answer to `logs` consists of. */
export const logAnswerLineSchema = z.union([logLineSchema, z.object({ caughtUp: z.literal(true) })]);
export type LogAnswerLine = z.infer<typeof logAnswerLineSchema>;

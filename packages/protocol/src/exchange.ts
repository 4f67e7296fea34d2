import { z } from "zod";
import { invocationResultSchema, startKinds } from "./invocation.ts";

/**
 * The heads of the frames that an invocation's exchange is made of. They are the same on the bus (broker ↔ agent) and on a socket
 * (caller ↔ broker), but for what opens it: `RunOrder` in order.ts, `SocketOpen` in socket-api.ts.
 */

/** An invocation is HTTP-shaped for every contract; a plain invoke is `POST /`. */
export const requestHeadSchema = z.object({
  method: z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/, "must be an HTTP method"),
  /** Raw path and query, as they came. */
  target: z.string().regex(/^\/[\x21-\x7e]*$/, "must be a raw path and query beginning with /"),
  /** Order, case and repetition as they came; no hop-by-hop field, none of ours. */
  headers: z.array(z.tuple([z.string(), z.string()])),
});
export type RequestHead = z.infer<typeof requestHeadSchema>;

/** Head of `answer`: the function began to answer. With `complete`, body and `result` are all there is; else `data` and `end` follow. */
export const answerHeadSchema = z.object({
  complete: z.boolean(),
  /** http: the status; absent for contracts without one. 101 turns the exchange into a tunnel of raw bytes both ways. */
  status: z.number().int().optional(),
  headers: z.array(z.tuple([z.string(), z.string()])).default([]),
  start: z.enum(startKinds).optional(),
  instanceId: z.string().optional(),
  /** How long the invocation waited at the agent for an instance. */
  startMs: z.number().optional(),
  /** With `complete` only. */
  result: invocationResultSchema.optional(),
  runMs: z.number().optional(),
  /** Where it ran: filled in by the broker, for callers on a socket. */
  siteId: z.string().optional(),
  agentId: z.string().optional(),
  revisionId: z.string().optional(),
});
export type AnswerHead = z.infer<typeof answerHeadSchema>;

/** Head of the `end` of an answer: what became of the invocation. */
export const answerEndSchema = z.object({
  sequenceCount: z.number().int().nonnegative(),
  result: invocationResultSchema,
  runMs: z.number().optional(),
});
export type AnswerEnd = z.infer<typeof answerEndSchema>;

/** Head of the `end` of a request body. */
export const requestEndSchema = z.object({ sequenceCount: z.number().int().nonnegative() });

/** Head of `cancel`. `abandoned`: the caller is gone; `requested`: someone asked by id; `deadline`: the broker's own limit. */
export const cancelSchema = z.object({ reason: z.enum(["abandoned", "requested", "deadline"]) });
export type Cancel = z.infer<typeof cancelSchema>;

import { z } from "zod";
import { errorShape } from "./error.ts";
import { requestHeadSchema } from "./exchange.ts";
import { invokeQuerySchema } from "./http-api.ts";
import { invocationViewSchema } from "./invocation.ts";
import { logFilterSchema } from "./log-query.ts";

/**
 * The WebSocket interface: many exchanges on one socket. Each binary message is a little-endian u32 stream number followed by one
 * frame (codec.ts). The caller picks stream numbers, counting up from 1; stream 0 carries the handshake and keeps no exchange.
 *
 * The caller's first message is `open` on stream 0 with a {@link socketHelloSchema} head; the broker answers with `answer`
 * ({@link socketWelcomeSchema}) or `error` and closes. After that each `open` begins an exchange.
 *
 * Two more frames pass on stream 0. `end` from the broker: it is draining and takes no further exchange on this socket, those under
 * way finish. `credit` of 0 bytes from the caller: are you there? The broker sends it back (browsers cannot send pings).
 */
export const socketPath = "/v1/socket";
export const socketProtocol = "longshore.v1";
/** How many exchanges one socket carries at once; one more is refused with `quota`, and the others go on. */
export const maxExchanges = 1000;

/** Room for the stream number in front of a frame. */
export const streamPrefixBytes = 4;

/** Writes a stream number into the first four bytes (see `encodeFrame`'s `reserveBytes`). */
export function writeStream(bytes: Uint8Array, stream: number): Uint8Array {
  bytes[0] = stream;
  bytes[1] = stream >>> 8;
  bytes[2] = stream >>> 16;
  bytes[3] = stream >>> 24;
  return bytes;
}

/** Reads a message's stream number. */
export function readStream(bytes: Uint8Array): number {
  return ((bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8) | ((bytes[2] ?? 0) << 16) | ((bytes[3] ?? 0) << 24)) >>> 0;
}

export const socketHelloSchema = z.strictObject({
  /** An API key, for callers that cannot set headers on an upgrade (browsers). */
  key: z.string().max(256).optional(),
});
export const socketWelcomeSchema = z.object({
  brokerId: z.string(),
  protocolVersion: z.number(),
  /** Which `what` of an {@link socketOpenSchema} it takes. Absent: an older broker, which takes no `submit`. */
  takes: z.array(z.string()).optional(),
});
/** Head of the `end` on stream 0. */
export const socketEndSchema = z.object({ reason: z.literal("draining") });

/** Head of the `open` that begins an exchange on a socket. */
export const socketOpenSchema = z.discriminatedUnion("what", [
  z.strictObject({
    what: z.literal("invoke"),
    functionName: z.string().max(128),
    invocationId: z.string().max(64).optional(),
    /** The header's form: `site=plant,label.gpu=true`. */
    where: z.string().max(4096).optional(),
    timeoutMs: z.number().positive().max(3_600_000).optional(),
    /** The run goes on when the caller is gone. */
    detach: z.boolean().optional(),
    request: requestHeadSchema,
    /** True when `data` and `end` follow; false when the frame's body is the whole. */
    more: z.boolean(),
  }),
  /** An invocation to be accepted: answered once it is on disk, with a {@link socketAcceptedSchema} head. The body has at most 256 KiB. */
  z.strictObject({
    what: z.literal("submit"),
    functionName: z.string().max(128),
    /** One of both, or none. The same again, id or key, attaches to what was accepted. */
    invocationId: z.string().max(64).optional(),
    idempotencyKey: z.string().max(255).optional(),
    where: z.string().max(4096).optional(),
    timeoutMs: z.number().positive().max(3_600_000).optional(),
    ...invokeQuerySchema.omit({ mode: true }).shape,
    request: requestHeadSchema,
    more: z.boolean(),
  }),
  /** Fleet events as a streamed answer: JSON lines of `FleetEvent`, beginning with every agent as it stands and `caught_up`. */
  z.strictObject({ what: z.literal("watch") }),
  /** Lines of log as a streamed answer: JSON lines of `LogLine`, of a function or of an invocation; with `follow` until cancelled. */
  z.strictObject({
    what: z.literal("logs"),
    functionName: z.string().max(128).optional(),
    invocationId: z.string().max(64).optional(),
    ...logFilterSchema.shape,
  }),
]);
export type SocketOpen = z.infer<typeof socketOpenSchema>;

/** Every {@link SocketOpen} that this build takes. */
export const socketOpens: readonly SocketOpen["what"][] = ["invoke", "submit", "watch", "logs"];

/** Head of the complete `answer` to a `submit`. */
export const socketAcceptedSchema = z.object({
  complete: z.literal(true),
  view: invocationViewSchema,
  /** The same was accepted before, and this is how it stands. Absent: it is new. */
  replayed: z.boolean().optional(),
});
export type SocketAccepted = z.infer<typeof socketAcceptedSchema>;

/** Head of `error` on a socket. */
export const socketErrorSchema = errorShape;

import { LongshoreError } from "./error.ts";

/**
 * The frame: the one message form of every exchange, on the bus and on a socket alike.
 *
 * ```
 * byte 0      kind
 * bytes 1-4   little-endian u32: length of the JSON head; of `data` its sequence number; of `credit` the bytes granted
 * then        the head (UTF-8 JSON), then body bytes, untouched
 * ```
 *
 * One side opens an exchange (`open`), the other answers (`answer`, or `error`); bodies that do not fit go on as `data` under
 * `credit`, each closed by `end`; the opener may `cancel`. See docs/protocol.md for the order of frames.
 */
export type Frame =
  | { readonly kind: "open" | "answer"; readonly head: unknown; readonly body: Uint8Array }
  | { readonly kind: "end" | "cancel" | "error"; readonly head: unknown }
  | { readonly kind: "data"; readonly sequence: number; readonly body: Uint8Array }
  | { readonly kind: "credit"; readonly bytes: number };

const kindBytes = { open: 1, answer: 2, data: 3, end: 4, credit: 5, cancel: 6, error: 7 } as const;
const kindOf: readonly (Frame["kind"] | undefined)[] = [undefined, "open", "answer", "data", "end", "credit", "cancel", "error"];

const prefixBytes = 5;
/** A head larger than this is refused: it holds headers (bounded at the door) and ids, never a body. */
export const maxHeadBytes = 256 * 1024;
/** A body part of one frame; longer bodies go in several. */
export const chunkBytes = 128 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
const nothing = new Uint8Array(0);

/**
 * Writes a frame. `reserveBytes` leaves that much room in front (the socket puts a stream number there), so that nothing is
 * copied twice.
 */
export function encodeFrame(frame: Frame, reserveBytes = 0): Uint8Array {
  switch (frame.kind) {
    case "data":
      return allocate(kindBytes.data, frame.sequence, 0, frame.body, reserveBytes);
    case "credit":
      return allocate(kindBytes.credit, frame.bytes, 0, nothing, reserveBytes);
    default:
      return encodeWithHead(kindBytes[frame.kind], JSON.stringify(frame.head), "body" in frame ? frame.body : nothing, reserveBytes);
  }
}

/** Nearly every head is ASCII: as long in bytes as in characters, so that it is written where it belongs, and not copied there. */
function encodeWithHead(kind: number, head: string, body: Uint8Array, reserveBytes: number): Uint8Array {
  const start = reserveBytes + prefixBytes;
  const bytes = allocate(kind, head.length, head.length, body, reserveBytes);
  if (encoder.encodeInto(head, bytes.subarray(start, start + head.length)).read === head.length) return bytes;
  const encoded = encoder.encode(head);
  const frame = allocate(kind, encoded.length, encoded.length, body, reserveBytes);
  frame.set(encoded, start);
  return frame;
}

/** A frame with room for its head. */
function allocate(kind: number, number: number, headLength: number, body: Uint8Array, reserveBytes: number): Uint8Array {
  const start = reserveBytes + prefixBytes;
  const bytes = takeBytes(start + headLength + body.length);
  bytes[reserveBytes] = kind;
  bytes[reserveBytes + 1] = number;
  bytes[reserveBytes + 2] = number >>> 8;
  bytes[reserveBytes + 3] = number >>> 16;
  bytes[reserveBytes + 4] = number >>> 24;
  bytes.set(body, start + headLength);
  return bytes;
}

const slabBytes = 8 * 1024;
let slab = new Uint8Array(slabBytes);
let slabFill = 0;

/** Small frames share pieces of memory, each byte given out once: a piece for every frame would cost more than all else about it. */
function takeBytes(byteLength: number): Uint8Array {
  if (byteLength > slabBytes / 4) return new Uint8Array(byteLength);
  if (slabFill + byteLength > slabBytes) {
    slab = new Uint8Array(slabBytes);
    slabFill = 0;
  }
  const bytes = slab.subarray(slabFill, slabFill + byteLength);
  slabFill += byteLength;
  return bytes;
}

/** Reads a frame; bodies are views of `bytes`, not copies. Throws `bad_frame` for anything that is not one. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const kind = kindOf[bytes[0] ?? 0];
  if (kind === undefined || bytes.length < prefixBytes) throw badFrame("unknown kind or too short");
  const number = ((bytes[1] ?? 0) | ((bytes[2] ?? 0) << 8) | ((bytes[3] ?? 0) << 16) | ((bytes[4] ?? 0) << 24)) >>> 0;
  if (kind === "data") return { kind, sequence: number, body: bytes.subarray(prefixBytes) };
  if (kind === "credit") return { kind, bytes: number };
  const end = prefixBytes + number;
  if (number > maxHeadBytes || end > bytes.length) throw badFrame("head is longer than the frame");
  const head = parseHead(bytes.subarray(prefixBytes, end));
  return kind === "open" || kind === "answer" ? { kind, head, body: bytes.subarray(end) } : { kind, head };
}

function parseHead(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    throw badFrame("head is not JSON", cause);
  }
}

function badFrame(what: string, cause?: unknown): LongshoreError {
  return new LongshoreError("bad_frame", `Cannot read frame: ${what}`, { cause });
}

/** Encodes a message that is one JSON document (heartbeats, introductions, events). */
export function encodeJson(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

/** Reads a message that is one JSON document, or throws `bad_frame`. */
export function decodeJson(bytes: Uint8Array): unknown {
  return parseHead(bytes);
}

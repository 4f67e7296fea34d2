import type { InvocationId } from "./names.ts";

/**
 * Makes a UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then random bits, so that ids sort by time of making.
 * Time and random bytes come in, so that callers and tests decide them.
 */
export function createInvocationId(
  nowMs: number = Date.now(),
  random: Uint8Array = crypto.getRandomValues(new Uint8Array(10)),
): InvocationId {
  const time = Math.floor(nowMs).toString(16).padStart(12, "0");
  const tail = [...random.subarray(0, 10)];
  tail[0] = ((tail[0] ?? 0) & 0x0f) | 0x70;
  tail[2] = ((tail[2] ?? 0) & 0x3f) | 0x80;
  const hex = time + tail.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as InvocationId;
}

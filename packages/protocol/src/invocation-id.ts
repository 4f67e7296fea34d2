import type { InvocationId } from "./names.ts";

const randomBytes = 10;
const hexOf = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Random bytes are drawn for many ids at once: every call makes an id, and a draw costs more than all the rest of it. */
const drawn = new Uint8Array(100 * randomBytes);
let nextDrawn = drawn.length;

function drawRandom(): Uint8Array {
  if (nextDrawn === drawn.length) {
    crypto.getRandomValues(drawn);
    nextDrawn = 0;
  }
  nextDrawn += randomBytes;
  return drawn.subarray(nextDrawn - randomBytes, nextDrawn);
}

/**
 * Makes a UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then random bits, so that ids sort by time of making.
 * Time and ten random bytes come in, so that callers and tests decide them.
 */
export function createInvocationId(nowMs: number = Date.now(), random: Uint8Array = drawRandom()): InvocationId {
  const time = Math.floor(nowMs).toString(16).padStart(12, "0");
  const byte = (index: number) => random[index] ?? 0;
  const hex = (index: number) => hexOf[byte(index)] ?? "";
  const version = hexOf[(byte(0) & 0x0f) | 0x70] ?? "";
  const variant = hexOf[(byte(2) & 0x3f) | 0x80] ?? "";
  const node = hex(4) + hex(5) + hex(6) + hex(7) + hex(8) + hex(9);
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}${hex(1)}-${variant}${hex(3)}-${node}` as InvocationId;
}

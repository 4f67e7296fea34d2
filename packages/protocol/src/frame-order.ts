import { encodeFrame, type Frame } from "./codec.ts";
import { LongshoreError } from "./error.ts";

/**
 * On the bus each frame of an exchange is preceded by a little-endian u32: its number within its direction, from 1 (the `open` is
 * the opener's first). A link that is renewed or comes back may carry a frame twice, or one before another that went by the old
 * link; the number makes that harmless.
 */
export const frameNumberBytes = 4;

/** Writes a frame with its number in front. */
export function encodeNumberedFrame(frame: Frame, number: number): Uint8Array {
  const bytes = encodeFrame(frame, frameNumberBytes);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, number, true);
  return bytes;
}

/** Reads the number in front of a frame, or throws `bad_frame` for what is too short to have one. */
export function readFrameNumber(bytes: Uint8Array): number {
  if (bytes.length < frameNumberBytes) throw new LongshoreError("bad_frame", "Cannot read frame: too short for its number");
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}

/** How many frames, and how many of their bytes, may wait for one that is missing. */
export const maxEarlyFrames = 1024;
export const maxEarlyBytes = 2 * 1024 * 1024;

/**
 * Puts the numbered frames of one direction back into order. Each number is delivered once: doubles are dropped, early frames wait
 * for the missing one, within {@link maxEarlyFrames} and {@link maxEarlyBytes}.
 */
export class FrameOrder {
  #next: number;
  #early: Map<number, Uint8Array> | undefined;
  #earlyBytes = 0;

  constructor(firstNumber = 1) {
    this.#next = firstNumber;
  }

  /**
   * Takes a numbered frame as it came; calls `deliver` with each frame, number stripped, whose turn it is. Throws `bad_frame` when
   * too much waits for a missing one, or there is no number.
   */
  accept(numbered: Uint8Array, deliver: (frame: Uint8Array) => void): void {
    const number = readFrameNumber(numbered);
    if (number < this.#next) return;
    if (number > this.#next) {
      this.#keep(number, numbered);
      return;
    }
    this.#next += 1;
    deliver(numbered.subarray(frameNumberBytes));
    if (this.#early !== undefined) this.#deliverEarly(this.#early, deliver);
  }

  #keep(number: number, numbered: Uint8Array): void {
    this.#early ??= new Map();
    if (this.#early.has(number)) return;
    this.#earlyBytes += numbered.length;
    if (this.#early.size >= maxEarlyFrames || this.#earlyBytes > maxEarlyBytes) {
      throw new LongshoreError("bad_frame", `Cannot go on with exchange: frame ${this.#next} is missing`);
    }
    this.#early.set(number, numbered);
  }

  #deliverEarly(early: Map<number, Uint8Array>, deliver: (frame: Uint8Array) => void): void {
    for (let numbered = early.get(this.#next); numbered !== undefined; numbered = early.get(this.#next)) {
      early.delete(this.#next);
      this.#earlyBytes -= numbered.length;
      this.#next += 1;
      deliver(numbered.subarray(frameNumberBytes));
    }
  }
}

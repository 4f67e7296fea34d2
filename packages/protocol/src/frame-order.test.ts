import { describe, expect, it } from "vitest";
import { decodeFrame, type Frame } from "./codec.ts";
import { encodeNumberedFrame, FrameOrder, maxEarlyBytes, maxEarlyFrames } from "./frame-order.ts";

const credit = (bytes: number): Frame => ({ kind: "credit", bytes });

/** Feeds frames whose credit is their number, and returns the order in which they were delivered. */
function deliver(numbers: readonly number[], order = new FrameOrder()): number[] {
  const seen: number[] = [];
  for (const number of numbers) {
    order.accept(encodeNumberedFrame(credit(number), number), (bytes) => {
      const frame = decodeFrame(bytes);
      if (frame.kind === "credit") seen.push(frame.bytes);
    });
  }
  return seen;
}

describe("frame order", () => {
  it("delivers each number once and in order, whatever the order of arrival", () => {
    expect(deliver([1, 1, 3, 2, 3, 2, 6, 5, 4, 1])).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("holds what comes early until the missing one is there", () => {
    const order = new FrameOrder();
    expect(deliver([2, 3], order)).toEqual([]);
    expect(deliver([1], order)).toEqual([1, 2, 3]);
  });

  it("begins at the number it is told", () => {
    expect(deliver([1, 2, 3], new FrameOrder(2))).toEqual([2, 3]);
  });

  it("gives up on a missing frame once too many, or too large ones, wait", () => {
    const early = Array.from({ length: maxEarlyFrames + 1 }, (_, index) => index + 2);
    expect(() => deliver(early)).toThrow("frame 1 is missing");
    const large = encodeNumberedFrame({ kind: "data", sequence: 1, body: new Uint8Array(maxEarlyBytes) }, 2);
    expect(() => { new FrameOrder().accept(large, () => undefined); }).toThrow("frame 1 is missing");
  });

  it("refuses what is too short to carry a number", () => {
    expect(() => { new FrameOrder().accept(new Uint8Array(3), () => undefined); }).toThrow("too short");
  });
});

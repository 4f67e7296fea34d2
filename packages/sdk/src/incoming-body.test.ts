import { chunkBytes, type Frame, windowBytes } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { IncomingBody } from "./incoming-body.ts";
import { settled } from "./testing/broker-scene.ts";
import { seededRandom } from "./testing/random.ts";

/** A sender that keeps to its credit, and a reader, in an order that the seed decides. */
async function walk(seed: number): Promise<{ sent: number; read: number; granted: number; end: "closed" | "failed" }> {
  const random = seededRandom(seed);
  const failure = random() < 0.3 ? new Error("broke off") : undefined;
  let [credit, sent, read, granted, sequence] = [windowBytes, 0, 0, 0, 0];
  const body = new IncomingBody((frame: Frame) => {
    if (frame.kind !== "credit") throw new Error("only credit goes back");
    credit += frame.bytes;
    granted += frame.bytes;
  }, () => undefined);
  const reader = body.stream.getReader();
  const total = Math.floor(random() * 5 * windowBytes);
  let end: "closed" | "failed" | undefined;
  let isReading = false;
  const readOne = () => {
    if (isReading) return;
    isReading = true;
    reader.read().then(
      ({ done, value }) => {
        isReading = false;
        if (done) end = "closed";
        else read += value.length;
      },
      () => (end = "failed"),
    );
  };
  for (let isToldEnd = false; end === undefined; ) {
    if (random() < 0.5) readOne();
    const length = Math.min(total - sent, Math.floor(random() * chunkBytes));
    if (!isToldEnd && length <= credit && random() < 0.7) {
      if (sent === total) {
        isToldEnd = true;
        if (failure === undefined) body.end();
        else body.fail(failure);
      } else {
        sent += length;
        credit -= length;
        body.receive((sequence += 1), new Uint8Array(length));
      }
    }
    if (random() < 0.7) continue;
    await settled();
    if (granted > read) throw new Error("credit for what was not read");
  }
  return { sent, read, granted, end };
}

describe("a body on its way in", () => {
  it.each(Array.from({ length: 30 }, (_, seed) => seed))("arrives whole, however it ends, and is granted only what was read (seed %i)", async (seed) => {
    const { sent, read } = await walk(seed);
    expect(read).toBe(sent);
  });

  it("of which nobody wants more drops what comes", async () => {
    let cancelled = 0;
    const body = new IncomingBody(() => undefined, () => (cancelled += 1));
    body.receive(1, new Uint8Array(1));
    await body.stream.cancel();
    body.receive(2, new Uint8Array(1));
    body.fail(new Error("late"));
    body.abort(new Error("later"));
    expect(cancelled).toBe(1);
  });
});

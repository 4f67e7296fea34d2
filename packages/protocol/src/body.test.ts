import { describe, expect, it } from "vitest";
import { BodyReader, BodyWriter, windowBytes } from "./body.ts";
import { chunkBytes } from "./codec.ts";

/** A small generator of numbers in [0, 1), so that a failing walk can be run again by its seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

describe("a body in chunks under credit", () => {
  it("sends no more than the window before credit comes", () => {
    const sent: number[] = [];
    const writer = new BodyWriter((_, chunk) => sent.push(chunk.length), () => undefined);
    expect(writer.write(new Uint8Array(windowBytes + 1))).toBe(false);
    expect(sent.reduce((sum, length) => sum + length, 0)).toBe(windowBytes);
    expect(writer.queuedBytes).toBe(1);
  });

  it("cuts a large write into chunks and numbers them from one", () => {
    const sent: [number, number][] = [];
    const writer = new BodyWriter((sequence, chunk) => sent.push([sequence, chunk.length]), () => undefined);
    writer.write(new Uint8Array(chunkBytes + 3));
    expect(sent).toEqual([[1, chunkBytes], [2, 3]]);
  });

  it("says the end only after the last queued byte", () => {
    const events: string[] = [];
    const writer = new BodyWriter((sequence) => events.push(`data ${sequence}`), (count) => events.push(`end ${count}`));
    writer.write(new Uint8Array(windowBytes));
    writer.write(new Uint8Array(10));
    writer.end();
    expect(events.at(-1)).toBe("data 4");
    writer.grant(10);
    expect(events.slice(-2)).toEqual(["data 5", "end 5"]);
  });

  it("calls onDrain when what waited has been sent", () => {
    let drained = 0;
    const writer = new BodyWriter(() => undefined, () => undefined);
    writer.onDrain = () => (drained += 1);
    writer.write(new Uint8Array(windowBytes + 5));
    writer.grant(1);
    expect(drained).toBe(0);
    writer.grant(4);
    expect(drained).toBe(1);
  });

  it("sends nothing after it was abandoned", () => {
    let sent = 0;
    const writer = new BodyWriter(() => (sent += 1), () => (sent += 1));
    writer.abandon();
    writer.write(new Uint8Array(1));
    writer.end();
    writer.grant(1000);
    expect(sent).toBe(0);
    expect(writer.isClosed).toBe(true);
  });

  it("tells a gap, a repetition and a sender that passes its credit", () => {
    const reader = new BodyReader(() => undefined);
    reader.receive(1, 1);
    expect(() => { reader.receive(3, 1); }).toThrow(/came after 1/);
    expect(() => { reader.receive(1, 1); }).toThrow(/came after 1/);
    expect(() => { reader.receive(2, windowBytes); }).toThrow(/passed its credit/);
  });

  it("tells an end that names another count", () => {
    const reader = new BodyReader(() => undefined);
    reader.receive(1, 1);
    expect(() => { reader.finish(2); }).toThrow(/1 of 2/);
  });

  it.each(Array.from({ length: 40 }, (_, seed) => seed))("arrives whole and in bounds whatever the order of events (seed %i)", (seed) => {
    const random = seeded(seed);
    const total = Math.floor(random() * 6 * windowBytes);
    const wire: (() => void)[] = [];
    const back: number[] = [];
    const unread: number[] = [];
    let received = 0;
    let ended = false;
    const reader = new BodyReader((bytes) => back.push(bytes));
    const writer = new BodyWriter(
      (sequence, chunk) => wire.push(() => {
        reader.receive(sequence, chunk.length);
        received += chunk.length;
        unread.push(chunk.length);
      }),
      (count) => wire.push(() => {
        reader.finish(count);
        ended = true;
      }),
    );
    let written = 0;
    for (let step = 0; !ended; step += 1) {
      expect(step, "the body must not get stuck").toBeLessThan(100_000);
      const dice = random();
      if (dice < 0.4 && written < total) {
        const part = Math.min(total - written, 1 + Math.floor(random() * chunkBytes * 1.7));
        writer.write(new Uint8Array(part));
        written += part;
        if (written === total) writer.end();
      } else if (dice < 0.6) wire.shift()?.();
      else if (dice < 0.8) reader.consumed(unread.shift() ?? 0);
      else writer.grant(back.shift() ?? 0);
      if (total === 0) writer.end();
    }
    expect(received).toBe(total);
  });
});

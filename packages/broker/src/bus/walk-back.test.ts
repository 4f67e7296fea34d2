import { describe, expect, it } from "vitest";
import { walkBack, type WalkedSubject } from "./walk-back.ts";

interface Item {
  readonly sequence: number;
}

/** A subject that has messages at those sequences, each stored at the instant that its sequence spells, and counts what it is asked. */
class FakeSubject implements WalkedSubject<Item> {
  sequences: number[];
  counts = 0;
  readonly reads: { readonly from: number; readonly most: number }[] = [];
  /** What happens between a stretch's count and its reading. */
  beforeRead: () => void = () => undefined;
  /** A server gives fewer than it is asked for where they are long. */
  mostAtOnce = Infinity;

  constructor(sequences: readonly number[]) {
    this.sequences = [...sequences];
  }

  first(from: number | string): Promise<{ sequence: number; following: number } | undefined> {
    this.counts += 1;
    const at = this.sequences.findIndex((sequence) => sequence >= Number(from));
    return Promise.resolve(at === -1 ? undefined : { sequence: this.sequences[at] ?? 0, following: this.sequences.length - at - 1 });
  }

  last(): Promise<number | undefined> {
    return Promise.resolve(this.sequences.at(-1));
  }

  read(from: number, most: number): Promise<Item[]> {
    this.beforeRead();
    this.reads.push({ from, most });
    return Promise.resolve(this.sequences.filter((sequence) => sequence >= from).slice(0, Math.min(most, this.mostAtOnce)).map((sequence) => ({ sequence })));
  }
}

async function walked(subject: FakeSubject, wanted: { before?: string; atOnce: number }): Promise<number[]> {
  const all: number[] = [];
  for await (const chunk of walkBack(subject, wanted)) all.push(...chunk.map(({ sequence }) => sequence));
  return all;
}

const dense = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe("walkBack()", () => {
  it.each([
    ["nothing", []],
    ["one", [7]],
    ["a dense stream", dense(1, 1_000)],
    ["a stream whose beginning has expired", dense(5_000_000, 5_000_300)],
    ["a few in a long stream", [1, 2, 50_000, 900_000, 900_001, 1_000_000]],
    ["a dense part behind a desert", [...dense(1, 3_000), 2_000_000]],
  ])("hands out each message once, newest first: %s", async (_what, sequences) => {
    expect(await walked(new FakeSubject(sequences), { atOnce: 50 })).toEqual(sequences.toReversed());
  });

  it("begins before an instant, with what was stored earlier", async () => {
    expect(await walked(new FakeSubject(dense(1, 100)), { before: "42", atOnce: 10 })).toEqual(dense(1, 41).toReversed());
    expect(await walked(new FakeSubject(dense(1, 100)), { before: "999", atOnce: 10 })).toEqual(dense(1, 100).toReversed());
    expect(await walked(new FakeSubject(dense(10, 20)), { before: "10", atOnce: 10 })).toEqual([]);
  });

  it("reads one chunk of a long stream for one chunk, and no more of it", async () => {
    const subject = new FakeSubject(dense(1, 1_000_000));
    for await (const chunk of walkBack(subject, { atOnce: 50 })) {
      expect(chunk).toHaveLength(50);
      break;
    }
    expect(subject.reads).toEqual([{ from: 999_951, most: 50 }]);
    expect(subject.counts).toBeLessThan(6);
  });

  it("asks for no more than twice a chunk where a desert ends in a dense part, after few counts", async () => {
    const subject = new FakeSubject([...dense(1, 100_000), 3_000_000]);
    const chunks: number[] = [];
    for await (const chunk of walkBack(subject, { atOnce: 50 })) if (chunks.push(chunk.length) === 4) break;
    expect(Math.max(...subject.reads.map(({ most }) => most))).toBeLessThanOrEqual(100);
    expect(Math.max(...chunks)).toBeLessThanOrEqual(100);
    expect(subject.counts).toBeLessThan(150);
  });

  it("reads on where a server gives only a part of a stretch", async () => {
    const subject = new FakeSubject(dense(1, 100));
    subject.mostAtOnce = 3;
    expect(await walked(subject, { atOnce: 20 })).toEqual(dense(1, 100).toReversed());
  });

  it("leaves nothing out where messages go between count and reading, and takes nothing twice where some come", async () => {
    const subject = new FakeSubject(dense(1, 200));
    subject.beforeRead = () => {
      subject.sequences.shift();
      subject.sequences.push((subject.sequences.at(-1) ?? 0) + 1);
    };
    const all = await walked(subject, { atOnce: 20 });
    expect(new Set(all).size).toBe(all.length);
    const oldest = Math.min(...all);
    expect(all).toEqual(dense(oldest, 200).toReversed());
    expect(oldest).toBeLessThan(40);
  });
});

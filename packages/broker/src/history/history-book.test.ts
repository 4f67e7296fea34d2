import { describe, expect, it } from "vitest";
import { seededRandom } from "../testing/random.ts";
import { HistoryBook } from "./history-book.ts";
import type { Summary } from "./summary.ts";

const [tenSeconds, minute, quarter] = [10_000, 60_000, 900_000] as const;
const hour = 3_600_000;
const beginning = Date.UTC(2026, 10, 25);
const summary = (atMs: number, succeeded: number, { stepMs = 10_000, brokerId = "b1", functionName = "resize" } = {}): Summary => ({ brokerId, stepMs, atMs, tallies: new Map([[`acme/${functionName}`, { outcomes: { succeeded }, starts: {} }]]) });

function total(book: HistoryBook, stepMs: number, fromMs: number, untilMs: number): number {
  let sum = 0;
  for (const tallies of book.read(stepMs, fromMs, untilMs, () => true).values()) for (const { outcomes } of tallies.values()) sum += outcomes.succeeded ?? 0;
  return sum;
}

describe("the history book", () => {
  it("adds brokers up, and makes minutes and quarters of an hour of finer steps", () => {
    const book = new HistoryBook();
    for (let step = 0; step < 12; step += 1) for (const brokerId of ["b1", "b2"]) book.take(summary(beginning + step * tenSeconds, 1, { brokerId }), beginning + 120_000);
    expect([...book.read(tenSeconds, beginning, beginning + minute, () => true).values()].map((tallies) => tallies.get("acme/resize")?.outcomes.succeeded)).toEqual([2, 2, 2, 2, 2, 2]);
    expect([...book.read(minute, beginning, beginning + hour, () => true)].map(([atMs, tallies]) => [atMs - beginning, tallies.get("acme/resize")?.outcomes.succeeded])).toEqual([[0, 12], [minute, 12]]);
    expect(total(book, quarter, beginning, beginning + hour)).toBe(24);
    expect(book.read(tenSeconds, beginning, beginning + minute, () => false).size).toBe(0);
  });

  it("counts a broker's own summary of a minute in place of the finer ones, whichever comes first, however often", () => {
    for (const order of [[0, 1, 2, 3], [3, 2, 1, 0], [3, 0, 3, 1, 0, 2, 1]]) {
      const book = new HistoryBook();
      const all = [summary(beginning, 5), summary(beginning + tenSeconds, 5), summary(beginning, 11, { stepMs: minute }), summary(beginning, 1, { brokerId: "b2" })];
      for (const at of order) book.take(all[at]!, beginning + minute);
      expect(total(book, tenSeconds, beginning, beginning + minute)).toBe(11);
      expect(total(book, minute, beginning, beginning + minute)).toBe(12);
      expect(total(book, quarter, beginning, beginning + quarter)).toBe(12);
    }
  });

  it("keeps of what has become too old for its fineness what coarser steps have of it, and nothing for ever", () => {
    const book = new HistoryBook();
    for (let step = 0; step < 90; step += 1) book.take(summary(beginning + step * tenSeconds, 1), beginning + step * tenSeconds);
    const later = beginning + 2 * hour;
    book.forget(later);
    expect([total(book, tenSeconds, beginning, later), total(book, minute, beginning, later), total(book, quarter, beginning, later)]).toEqual([0, 90, 90]);
    const nextDay = beginning + 25 * hour;
    book.forget(nextDay);
    expect([total(book, minute, beginning, nextDay), total(book, quarter, beginning, nextDay)]).toEqual([0, 90]);
    book.forget(beginning + 8 * 24 * hour);
    expect(book.points).toBe(0);
  });

  it("takes nothing that is older than its kind is kept, nor from the future, nor of other lengths", () => {
    const book = new HistoryBook();
    for (const each of [summary(beginning - 2 * hour, 1), summary(beginning + hour, 1), summary(beginning, 1, { stepMs: 1_000 })]) book.take(each, beginning);
    expect(book.points).toBe(0);
  });

  it("folds finer steps away with a minute that goes before them, so that they are not counted beside it", () => {
    const book = new HistoryBook(2);
    const three = (atMs: number): Summary => ({ ...summary(atMs, 1, { stepMs: minute }), tallies: new Map(["a", "b", "c"].map((name) => [`acme/${name}`, { outcomes: { succeeded: 1 }, starts: {} }])) });
    book.take(summary(beginning, 1, { functionName: "a" }), beginning + 2 * minute);
    for (const atMs of [beginning, beginning + minute]) book.take(three(atMs), beginning + 2 * minute);
    expect(total(book, quarter, beginning, beginning + quarter)).toBe(6);
  });

  it.each([1, 2, 3])("loses and doubles nothing where it holds less than comes, in whatever order that is told again (seed %d)", (seed) => {
    const random = seededRandom(seed);
    const book = new HistoryBook(40);
    const taken: Summary[] = [];
    let [sum, nowMs] = [0, beginning];
    for (let step = 0; step < 400; step += 1) {
      nowMs = beginning + step * tenSeconds;
      for (const brokerId of ["b1", "b2"]) {
        for (let at = 0; at < 1 + Math.floor(random() * 2); at += 1) taken.push(summary(nowMs, 1, { brokerId, functionName: "resize" }));
        sum += 1;
        book.take(taken.at(-1)!, nowMs);
      }
      if (random() < 0.1) for (const each of taken) book.take(each, nowMs);
    }
    expect(total(book, quarter, beginning, nowMs + quarter), `seed ${seed}`).toBe(sum);
    expect(book.points).toBeLessThan(3 * 40 + 10);
  });
});

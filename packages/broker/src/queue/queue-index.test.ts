import type { FunctionName, InvocationId, TenantId } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import type { QueueEntry } from "../bus/queue-store.ts";
import { partitionOf } from "../bus/queue-subjects.ts";
import { seededRandom } from "../testing/random.ts";
import { QueueIndex } from "./queue-index.ts";

const always = () => true;
let sequence = 0;

function entry(functionName: string, changes: Partial<QueueEntry> = {}): QueueEntry {
  sequence += 1;
  return { tenantId: "acme" as TenantId, functionName: functionName as FunctionName, invocationId: `i${sequence}` as InvocationId, attempt: 1, notBeforeMs: 0, expiresAtMs: 1_000_000, sentUntilMs: 0, sequence, ...changes };
}

function indexOf(...entries: QueueEntry[]): QueueIndex {
  const index = new QueueIndex();
  for (const each of entries) index.add(each, 0);
  return index;
}

function takeAll(index: QueueIndex, nowMs = 0, canRun: (entry: QueueEntry) => boolean = always): string[] {
  const taken: string[] = [];
  for (let due = index.take(nowMs, canRun); due !== undefined; due = index.take(nowMs, canRun)) taken.push(`${due.why} ${due.entry.functionName} ${due.entry.sequence}`);
  return taken;
}

describe("the index of the queue", () => {
  it("lets functions take turns, each in the order its invocations came", () => {
    const [a1, a2, a3, b1, b2] = [entry("a"), entry("a"), entry("a"), entry("b"), entry("b")];
    expect(takeAll(indexOf(a1, a2, a3, b1, b2))).toEqual([`begin a ${a1.sequence}`, `begin b ${b1.sequence}`, `begin a ${a2.sequence}`, `begin b ${b2.sequence}`, `begin a ${a3.sequence}`]);
  });

  it("hands an entry out once, though it is told again while it is under way", () => {
    const only = entry("a");
    const index = indexOf(only);
    expect(takeAll(index)).toHaveLength(1);
    index.add(only, 0);
    expect(takeAll(index)).toEqual([]);
    index.settled(only);
    expect(index.size).toBe(0);
  });

  it("hands out a later attempt of what is under way, and not the earlier one", () => {
    const first = entry("a");
    const later = { ...first, attempt: 2, sequence: (sequence += 1) };
    const index = indexOf(first, later);
    expect(takeAll(index)).toEqual([`begin a ${later.sequence}`]);
    index.add(first, 0);
    expect(takeAll(index)).toEqual([]);
  });

  it("hands out what is over first, or what can be begun, as it is asked; what is over is begun in neither case", () => {
    const over = Array.from({ length: 3 }, () => entry("a", { expiresAtMs: 50 }));
    const [next, other] = [entry("a"), entry("b")];
    const index = indexOf(...over, next, other);
    const take = (prefers: "beginnings" | "endings") => {
      const due = index.take(100, always, prefers);
      return due && `${due.why} ${due.entry.sequence}`;
    };
    expect(take("endings")).toBe(`expired ${over[0]?.sequence}`);
    expect([take("beginnings"), take("beginnings")]).toEqual([`begin ${next.sequence}`, `begin ${other.sequence}`]);
    index.ended("acme" as TenantId, over[1]?.invocationId ?? ("" as InvocationId));
    expect([take("beginnings"), take("endings")]).toEqual([`expired ${over[2]?.sequence}`, undefined]);
  });

  it("asks about a function that cannot run once, however much of it is queued, until capacity changes", () => {
    const index = indexOf(...Array.from({ length: 50_000 }, () => entry("blocked")), entry("free"));
    let asked = 0;
    const canRun = ({ functionName }: QueueEntry) => {
      if (functionName === "blocked") asked += 1;
      return functionName === "free";
    };
    expect(takeAll(index, 0, canRun)).toHaveLength(1);
    index.add(entry("free"), 0);
    index.add(entry("blocked"), 0);
    expect(takeAll(index, 0, canRun)).toHaveLength(1);
    expect(asked).toBe(1);
    index.unblock();
    expect(takeAll(index, 0, canRun)).toEqual([]);
    expect(asked).toBe(2);
    index.unblock();
    expect(takeAll(index)).toHaveLength(50_001);
  });

  it("begins nothing before its time, and says when that is", () => {
    const index = indexOf(entry("a", { notBeforeMs: 500 }), entry("b", { notBeforeMs: 200 }));
    expect([takeAll(index, 199), index.nextMs]).toEqual([[], 200]);
    expect(takeAll(index, 200)).toEqual([expect.stringContaining("begin b")]);
    expect(index.nextMs).toBe(500);
    expect(takeAll(index, 500)).toEqual([expect.stringContaining("begin a")]);
  });

  it("hands out what has expired to be ended, even of a function that cannot run", () => {
    const index = indexOf(entry("a", { expiresAtMs: 100 }), entry("a", { expiresAtMs: 300 }), entry("b", { notBeforeMs: 900, expiresAtMs: 100 }));
    const never = () => false;
    expect(takeAll(index, 99, never)).toEqual([]);
    expect(takeAll(index, 100, never).toSorted()).toEqual([expect.stringContaining("expired a"), expect.stringContaining("expired b")]);
    expect(takeAll(index, 300)).toEqual([expect.stringContaining("expired a")]);
    expect(index.size).toBe(0);
  });

  it("leaves what is with an agent to that agent until its time is over, however long it has expired", () => {
    const only = entry("a");
    const index = indexOf(only);
    index.take(0, always);
    const sent = { ...only, sequence: (sequence += 1), expiresAtMs: 100, sentUntilMs: 700 };
    index.add(sent, 0); // The claim is told while it is being handed out.
    index.settled(only);
    expect([takeAll(index, 699), index.nextMs, index.size]).toEqual([[], 700, 1]);
    expect(takeAll(index, 700)).toEqual([`unheard a ${sent.sequence}`]);
    const again = { ...only, attempt: 2, sequence: (sequence += 1) };
    index.add(again, 700);
    index.settled(sent);
    expect(takeAll(index, 700)).toEqual([`begin a ${again.sequence}`]);
  });

  it("hands out again what could not be tried", () => {
    const only = entry("a");
    const index = indexOf(only);
    expect(index.take(0, always)?.entry).toBe(only);
    index.putBack(only, 0);
    expect(takeAll(index)).toEqual([`begin a ${only.sequence}`]);
  });

  it("begins what is over not even when it comes due again after that", () => {
    const only = entry("a", { expiresAtMs: 50 });
    const index = indexOf(only);
    index.take(0, always);
    index.putBack(only, 0, 80);
    const first = entry("a");
    index.add(first, 0);
    expect([index.take(60, always, "beginnings")?.entry, index.take(90, always, "beginnings")?.why]).toEqual([first, "expired"]);
  });

  it("forgets a partition but for what is under way there", () => {
    const [first, second] = [entry("a"), entry("a")];
    const index = indexOf(first, second, entry("b"));
    index.take(0, always);
    index.forget(partitionOf(first));
    expect(takeAll(index)).toEqual([expect.stringContaining("begin b")]);
    index.add(first, 0);
    index.add(second, 0);
    expect(takeAll(index)).toEqual([`begin a ${second.sequence}`]);
  });

  it("keeps its invariants whatever happens (seeded walks)", () => {
    for (let seed = 1; seed <= 200; seed += 1) walk(seed);
  });
});

/** Random adding, taking, settling, queueing again, blocking: nothing is handed out twice, early, or never. */
function walk(seed: number): void {
  const random = seededRandom(seed);
  const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)];
  const index = new QueueIndex();
  const standing = new Map<string, QueueEntry>();
  const underWay: QueueEntry[] = [];
  const done = new Set<number>();
  let nowMs = 0;
  const canRun = ({ functionName }: QueueEntry) => functionName !== "c" || nowMs % 2 === 0;
  const take = (may: (entry: QueueEntry) => boolean) => {
    const due = index.take(nowMs, may, random() < 0.5 ? "endings" : "beginnings");
    if (due === undefined) return false;
    const { entry: taken, why } = due;
    expect([seed, standing.get(taken.invocationId)?.sequence]).toEqual([seed, taken.sequence]);
    expect([seed, done.has(taken.sequence)]).toEqual([seed, false]);
    if (why === "begin") expect([seed, taken.notBeforeMs <= nowMs, taken.expiresAtMs > nowMs]).toEqual([seed, true, true]);
    else expect([seed, (why === "unheard" ? taken.sentUntilMs : taken.expiresAtMs) <= nowMs, taken.sentUntilMs > 0]).toEqual([seed, true, why === "unheard"]);
    done.add(taken.sequence);
    underWay.push(taken);
    return true;
  };
  for (let step = 0; step < 150; step += 1) {
    nowMs += Math.floor(random() * 20);
    const choice = random();
    if (choice < 0.45) {
      const fresh = entry(pick(["a", "b", "c"]) ?? "a", { notBeforeMs: nowMs + Math.floor(random() * 60) - 30, expiresAtMs: nowMs + Math.floor(random() * 300) });
      standing.set(fresh.invocationId, fresh);
      index.add(fresh, nowMs);
    } else if (choice < 0.75) take(canRun);
    else if (choice < 0.85) {
      const ended = underWay.splice(Math.floor(random() * underWay.length), 1)[0];
      if (ended === undefined) continue;
      if (random() < 0.5) standing.delete(ended.invocationId);
      else {
        const later = { ...ended, attempt: ended.attempt + 1, sequence: (sequence += 1), expiresAtMs: nowMs + 500, notBeforeMs: nowMs + 10, sentUntilMs: random() < 0.3 ? nowMs + 200 : 0 };
        standing.set(later.invocationId, later);
        index.add(later, nowMs); // The stream may tell of it before whoever wrote it has heard.
      }
      index.settled(ended);
    } else if (choice < 0.95) {
      const told = pick([...standing.values()]);
      if (told !== undefined) index.add(told, nowMs);
    } else index.unblock();
  }
  nowMs += 10_000;
  index.unblock();
  for (const ended of underWay.splice(0)) {
    if (standing.get(ended.invocationId) === ended) standing.delete(ended.invocationId);
    index.settled(ended);
  }
  while (take(always)) continue;
  expect([seed, [...standing.values()].filter(({ sequence: at }) => !done.has(at))]).toEqual([seed, []]);
  expect([seed, index.size]).toEqual([seed, 0]);
}

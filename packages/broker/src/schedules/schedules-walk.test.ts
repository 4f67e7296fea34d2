import type { MissedPolicy, ScheduleDocument, TenantId } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../testing/random.ts";
import { missedAfterMs } from "./decide.ts";
import { nextDue, type Timing } from "./due-times.ts";
import { type Arrival, ShakyFleet } from "./testing/shaky-fleet.ts";

const tenant = "acme" as TenantId;
const skewMs = 2_000;
/** From a decision to the bus: what was read is fresh for two seconds, and every message takes a while. */
const underWayMs = 4_000;

const documents: Record<string, ScheduleDocument & { readonly missed: MissedPolicy }> = {
  each: { name: "each", function: "f", everyMs: 7_000, missed: "all" },
  one: { name: "one", function: "f", cron: "* * * * *", timeZone: "Europe/Berlin", missed: "once" },
  fresh: { name: "fresh", function: "f", everyMs: 25_000, missed: "skip" },
  removed: { name: "removed", function: "f", everyMs: 5_000, missed: "all" },
};

interface Walk {
  readonly fleet: ShakyFleet;
  readonly startedMs: Readonly<Record<string, number>>;
  readonly removedMs: number;
}

/** A quarter of an hour of three brokers that die and freeze, then a minute of peace. */
async function walk(seed: number): Promise<Walk> {
  const random = seededRandom(seed);
  const fleet = new ShakyFleet(random);
  const skew = () => (random() * 2 - 1) * skewMs;
  const spawn = () => fleet.start(skew());
  const first = [spawn(), spawn(), spawn()][0];
  await fleet.pass(3_000);
  const startedMs: Record<string, number> = {};
  for (const [name, document] of Object.entries(documents)) {
    let isSet = false;
    void first?.schedules.set(tenant, name, document).then(({ view }) => ((startedMs[name] = Date.parse(view.createdAt)), (isSet = true)));
    while (!isSet) await fleet.pass(100);
  }
  let removedMs = Infinity;
  fleet.failing = 0.1;
  for (let second = 0; second < 900; second += 1) {
    for (const broker of [...fleet.brokers.values()]) {
      const chance = random();
      if (chance < 0.01) {
        fleet.kill(broker);
        spawn();
      } else if (broker.isWell && chance < 0.04) broker.freeze();
      else if (!broker.isWell && chance > 0.95) broker.thaw();
    }
    if (second === 400) for (const broker of fleet.brokers.values()) broker.freeze();
    // Asked of another one where the first died of it.
    if (second >= 600 && second % 10 === 0 && removedMs === Infinity) {
      void [...fleet.brokers.values()].find(({ isWell }) => isWell)?.schedules.remove(tenant, "removed").then(() => (removedMs = Math.min(removedMs, fleet.nowMs)), () => undefined);
    }
    await fleet.pass(1_000);
  }
  fleet.failing = 0;
  for (const broker of fleet.brokers.values()) broker.thaw();
  await fleet.pass(60_000);
  return { fleet, startedMs, removedMs };
}

const timingOf = (name: string, { startedMs }: Walk): Timing => {
  const { cron, timeZone, everyMs } = documents[name] as ScheduleDocument;
  return cron === undefined ? { everyMs: everyMs ?? 0, anchorMs: startedMs[name] ?? 0 } : { cron, timeZone: timeZone ?? "UTC" };
};
const header = (run: Arrival["run"], name: string) => run.request.headers.find(([field]) => field === name)?.[1] ?? "";
const arrivalsOf = (name: string, { fleet }: Walk) => fleet.arrivals.filter(({ run }) => header(run, "Longshore-Schedule") === name).map(({ run, atMs }) => ({ dueMs: Date.parse(header(run, "Longshore-Due")), atMs }));

/** Every due time that the fleet must have seen to. */
function expectedOf(name: string, of: Walk, untilMs: number): number[] {
  const due: number[] = [];
  for (let at = nextDue(timingOf(name, of), of.startedMs[name] ?? 0); at <= untilMs; at = nextDue(timingOf(name, of), at)) due.push(at);
  return due;
}

describe("brokers that share schedules, die, freeze and disagree on the time", () => {
  it.each(Array.from({ length: 6 }, (_, index) => 7_000 + index))("run each due time once, by its policy (seed %i)", { timeout: 60_000 }, async (seed) => {
    const of = await walk(seed);
    const told = (what: string) => `${what}, seed ${seed}`;
    const endMs = of.fleet.nowMs - 10_000;

    for (const name of Object.keys(documents)) {
      const arrivals = arrivalsOf(name, of);
      const dues = arrivals.map(({ dueMs }) => dueMs);
      expect(new Set(dues).size, told(`${name}: no due time twice`)).toBe(dues.length);
      const known = new Set(expectedOf(name, of, of.fleet.nowMs + skewMs));
      expect(dues.filter((due) => !known.has(due)), told(`${name}: nothing but due times`)).toEqual([]);
      expect(arrivals.filter(({ dueMs, atMs }) => atMs < dueMs - skewMs), told(`${name}: nothing before its time`)).toEqual([]);
    }

    const each = new Set(arrivalsOf("each", of).map(({ dueMs }) => dueMs));
    expect(expectedOf("each", of, endMs).filter((due) => !each.has(due)), told("all: none left out")).toEqual([]);

    const isLatest = (name: string, { dueMs, atMs }: { dueMs: number; atMs: number }) => nextDue(timingOf(name, of), dueMs) > atMs - skewMs - underWayMs;
    for (const name of ["one", "fresh"]) {
      expect(arrivalsOf(name, of).filter((arrival) => !isLatest(name, arrival)), told(`${name}: of several that were missed the last alone`)).toEqual([]);
    }
    expect(arrivalsOf("fresh", of).filter(({ dueMs, atMs }) => atMs - dueMs > missedAfterMs + skewMs + underWayMs), told("skip: nothing that was missed")).toEqual([]);

    // Once: a due time without a run had a later one while nobody was there, or nobody was long enough.
    const one = new Set(arrivalsOf("one", of).map(({ dueMs }) => dueMs));
    const missing = expectedOf("one", of, endMs).filter((due) => !one.has(due));
    for (const due of missing) expect(one.has(nextDue(timingOf("one", of), due)) || missing.includes(nextDue(timingOf("one", of), due)), told("once: made up by a later one")).toBe(true);
    expect(missing.length, told("once: few are made up by another")).toBeLessThan(6);

    expect(of.removedMs, told("it was removed")).toBeLessThan(Infinity);
    expect(arrivalsOf("removed", of).filter(({ atMs }) => atMs > of.removedMs + underWayMs), told("nothing of what was removed")).toEqual([]);
  });
});

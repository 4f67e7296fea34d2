import { describe, expect, it } from "vitest";
import { invocationRecord } from "../testing/fake-record.ts";
import { type Activity, addHistory, addRecord, figuresOf, keptSteps, stepMs } from "./activity.ts";

const noonMs = Date.parse("2026-11-25T12:00:00.000Z");
const ended = (ms: number, overrides = {}) => invocationRecord(0, { finishedAt: new Date(ms).toISOString(), ...overrides });

describe("figures of an activity", () => {
  it("are those of the last minute: rate, failures, starts, percentiles", () => {
    const activity: Activity = new Map();
    for (let nth = 1; nth <= 100; nth += 1) addRecord(activity, ended(noonMs + nth * 100, { timings: { totalMs: nth }, start: nth > 90 ? "cold" : "warm", result: { outcome: nth <= 5 ? "failed" : nth <= 9 ? "cancelled" : "succeeded" } }), noonMs + 10_000);
    const figures = figuresOf([activity], noonMs + 10_000, noonMs);
    expect(figures).toMatchObject({ ended: 100, failed: 5, perSecond: 10, starts: { warm: 90, held: 0, cold: 10 }, p50Ms: 51, p99Ms: 100 });
    expect(figures.plot.slice(-2)).toEqual([99, 1]);
    expect(figuresOf([activity], noonMs + 200_000, noonMs)).toMatchObject({ ended: 0, perSecond: 0, p50Ms: undefined });
  });

  it("take a history's word for steps that are over, where it knows of more than was seen", () => {
    const activity: Activity = new Map();
    addRecord(activity, ended(noonMs + 1_000), noonMs + 1_000);
    addRecord(activity, ended(noonMs + 11_000), noonMs + 11_000);
    const durations = { count: 30, p50Ms: 5, p90Ms: 7, p99Ms: 9, maxMs: 9 };
    const point = (atMs: number, succeeded: number) => ({ atMs, outcomes: { succeeded, failed: 1 }, starts: { held: 30 }, durations });
    addHistory(activity, [point(noonMs, 29), point(noonMs + stepMs, 500)], noonMs + 15_000, noonMs + 15_000);
    expect(figuresOf([activity], noonMs + 15_000, 0)).toMatchObject({ ended: 31, failed: 1, starts: { held: 30 }, p50Ms: 5, p99Ms: 38 });
    addHistory(activity, [{ atMs: noonMs, outcomes: { succeeded: 1 }, starts: {} }], noonMs + 15_000, noonMs + 15_000);
    expect(figuresOf([activity], noonMs + 15_000, 0).ended).toBe(31);
  });

  it("are bounded in memory, however many end and however long", () => {
    const activity: Activity = new Map();
    for (let nth = 0; nth < 100_000; nth += 1) addRecord(activity, ended(noonMs + nth * 100), noonMs + nth * 100);
    expect(activity.size).toBeLessThanOrEqual(keptSteps + 2);
    expect(Math.max(...[...activity.values()].map(({ durations }) => durations.length))).toBe(100);
    for (let nth = 0; nth < 5_000; nth += 1) addRecord(activity, ended(noonMs + 1e7), noonMs + 1e7);
    expect(activity.get(noonMs + 1e7)?.durations).toHaveLength(200);
  });

  it("count what a clock that is ahead says has ended as ended now", () => {
    const activity: Activity = new Map();
    addRecord(activity, ended(noonMs + 3_600_000), noonMs);
    addRecord(activity, ended(0, { finishedAt: "never" }), noonMs);
    expect(figuresOf([activity], noonMs, noonMs - 60_000).ended).toBe(2);
  });
});

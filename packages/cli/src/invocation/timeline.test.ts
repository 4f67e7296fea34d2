import type { PastAttempt } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { createStyle } from "../terminal/style.ts";
import { textWidth } from "../terminal/text-width.ts";
import { invocationRecord } from "../testing/fake-record.ts";
import { drawTimeline } from "./draw-timeline.ts";
import { timelineOf } from "./timeline.ts";

const acceptedAt = "2026-11-25T12:00:00.000Z";
const after = (ms: number) => new Date(Date.parse(acceptedAt) + ms).toISOString();
const past: PastAttempt[] = [{ attempt: 1, siteId: "cloud", agentId: "cloud-1", endedAt: after(4_000), result: { outcome: "timed_out", message: "It took too long" } }];
const finished = (overrides: Parameters<typeof invocationRecord>[1]) => timelineOf({ state: "finished", record: invocationRecord(1, overrides) }, 0);
const parts = ({ spans }: ReturnType<typeof timelineOf>) => spans.map(({ kind, fromMs, untilMs }) => [kind, fromMs, untilMs]);

describe("timelineOf()", () => {
  it("of a call is placement, start, run, and what is left for the reply", () => {
    const timeline = finished({ start: "cold", timings: { placementMs: 10, startMs: 300, runMs: 80, totalMs: 400 } });
    expect(parts(timeline)).toEqual([["placement", 0, 10], ["start", 10, 310], ["run", 310, 390], ["reply", 390, 400]]);
    expect(timeline.spans[1]?.note).toBe("cold: its container was made first");
  });

  it("of accepted work begins with the backlog, and has each attempt with its end and the wait after it", () => {
    expect(parts(finished({ acceptedAt, finishedAt: after(1_000), timings: { startMs: 100, runMs: 300 } }))).toEqual([["backlog", 0, 600], ["start", 600, 700], ["run", 700, 1_000]]);
    const again = finished({ acceptedAt, finishedAt: after(15_000), attempt: 2, past, timings: { startMs: 100, runMs: 900, totalMs: 15_000 } });
    expect(parts(again)).toEqual([["attempt", 0, 4_000], ["backoff", 4_000, 14_000], ["start", 14_000, 14_100], ["run", 14_100, 15_000]]);
    expect(again.spans[0]?.note).toBe("attempt 1 timed_out at cloud/cloud-1: It took too long");
  });

  it("of accepted work that tells when it was sent has each wait apart, and what its answer took", () => {
    const [first] = past;
    const again = finished({ acceptedAt, finishedAt: after(15_000), attempt: 2, sentAt: after(14_000), past: [{ ...first!, sentAt: after(1_000) }], timings: { startMs: 100, runMs: 700, totalMs: 15_000 } });
    expect(parts(again)).toEqual([["backlog", 0, 1_000], ["attempt", 1_000, 4_000], ["backoff", 4_000, 14_000], ["start", 14_000, 14_100], ["run", 14_100, 14_800], ["reply", 14_800, 15_000]]);
  });

  it("of one that goes on reaches until now", () => {
    const pending = { invocationId: "x", functionName: "resize", acceptedAt, past, attempt: 2 };
    expect(timelineOf({ ...pending, state: "running", siteId: "plant", agentId: "plant-1" }, Date.parse(after(6_000)))).toMatchObject({ isOver: false, totalMs: 6_000, spans: [{ kind: "attempt" }, { kind: "running", fromMs: 4_000, untilMs: 6_000, note: "at plant/plant-1" }] });
    expect(timelineOf({ ...pending, state: "waiting", notBefore: after(14_000), cancelRequested: true }, Date.parse(after(6_000))).spans.at(-1)).toMatchObject({ kind: "waiting", note: `to be cancelled, not before ${after(14_000)}` });
  });

  it("is in order and within the whole whatever clocks and records say", () => {
    for (const timings of [{ placementMs: 500, startMs: 500, runMs: 500, totalMs: 400 }, { startMs: 9_000, runMs: 1, totalMs: 5 }, {}, { totalMs: 0 }, { placementMs: -4, totalMs: 10 }]) {
      for (const finishedAt of [after(0), after(-500), "never"]) {
        const { spans, totalMs } = finished({ acceptedAt, finishedAt, timings, past: [{ ...past[0]!, endedAt: after(-3) }, { ...past[0]!, endedAt: "never" }, { ...past[0]!, sentAt: "never" }, { ...past[0]!, sentAt: after(9_000) }, ...past], sentAt: finishedAt });
        let atMs = 0;
        for (const { fromMs, untilMs } of spans) {
          expect(fromMs).toBeGreaterThanOrEqual(atMs);
          expect(untilMs).toBeGreaterThanOrEqual(fromMs);
          atMs = untilMs;
        }
        expect(atMs).toBeLessThanOrEqual(totalMs);
      }
    }
  });
});

describe("drawTimeline()", () => {
  const timeline = finished({ start: "held", timings: { placementMs: 10, startMs: 300, runMs: 90, totalMs: 400 } });

  it("draws bars to scale, each with its length", () => {
    expect(drawTimeline(timeline, 96, createStyle(false))).toEqual([
      `           0${" ".repeat(34)}400ms`,
      "placement  █·······································      10ms",
      "start      ·██████████████████████████████·········     300ms  held: its program began in a con…",
      "run        ·······························█████████      90ms",
    ]);
  });

  it("fits its notes beside the bars where there is room, and shows them inert", () => {
    const evil = { ...timeline, spans: [{ kind: "attempt" as const, fromMs: 0, untilMs: 400, note: `\u001b[2J ${"x".repeat(500)}` }] };
    for (const columns of [20, 40, 80, 120, 300]) {
      const lines = drawTimeline(evil, columns, createStyle(false));
      expect(lines.join("")).not.toContain("\u001b");
      for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(Math.max(columns, 33));
    }
  });

  it("draws one that took no time at all", () => {
    expect(drawTimeline({ totalMs: 0, isOver: false, spans: [{ kind: "waiting", fromMs: 0, untilMs: 0, note: "" }] }, 40, createStyle(false))[1]).toContain("░");
  });
});

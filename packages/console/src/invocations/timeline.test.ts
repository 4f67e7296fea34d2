import { describe, expect, it } from "vitest";
import { recordOf } from "../testing/views.ts";
import { pendingTimeline, timelineOf, whyThere } from "./timeline.ts";

const parts = (timeline: ReturnType<typeof timelineOf>) => timeline.segments.map(({ kind, fromMs, untilMs }) => [kind, fromMs, untilMs]);
const failed = { outcome: "failed" } as const;

describe("a timeline", () => {
  it("of one attempt is placement, start, run, and what is left of the time", () => {
    expect(parts(timelineOf(recordOf()))).toEqual([["placement", 0, 1], ["start", 1, 3], ["run", 3, 18], ["reply", 18, 20]]);
  });

  it("shows parts that were not reached not at all, and never more than the whole", () => {
    expect(parts(timelineOf(recordOf({ timings: { placementMs: 50, totalMs: 20 }, result: { outcome: "rejected" } })))).toEqual([["placement", 0, 20]]);
    expect(parts(timelineOf(recordOf({ timings: { totalMs: 20, runMs: 90 } })))).toEqual([["run", 0, 20]]);
    expect(timelineOf(recordOf({ timings: {}, finishedAt: "2026-11-28T20:00:00.000Z" }))).toEqual({ totalMs: 0, segments: [] });
  });

  it("of accepted work has its attempts, the backoff between them, and the last one's parts at the end", () => {
    const past = [{ attempt: 1, siteId: "plant", agentId: "p1", endedAt: "2026-11-28T20:00:01.000Z", result: failed }, { attempt: 2, siteId: "cloud", agentId: "c1", endedAt: "2026-11-28T20:00:03.000Z", result: failed }];
    const timeline = timelineOf(recordOf({ past, finishedAt: "2026-11-28T20:00:10.000Z", timings: { startMs: 500, runMs: 1500 } }));
    expect(parts(timeline)).toEqual([["attempt", 0, 1000], ["attempt", 1000, 3000], ["backoff", 3000, 8000], ["start", 8000, 8500], ["run", 8500, 10_000]]);
    expect(timeline.segments.map(({ isBad }) => isBad === true)).toEqual([true, true, false, false, false]);
  });

  it("of accepted work that tells when it was sent has each wait apart, and the way of its answer", () => {
    const past = [{ attempt: 1, siteId: "plant", agentId: "p1", sentAt: "2026-11-28T20:00:00.400Z", endedAt: "2026-11-28T20:00:01.000Z", result: failed }];
    const timeline = timelineOf(recordOf({ past, sentAt: "2026-11-28T20:00:07.000Z", finishedAt: "2026-11-28T20:00:10.000Z", timings: { startMs: 500, runMs: 1500 } }));
    expect(parts(timeline)).toEqual([["placement", 0, 400], ["attempt", 400, 1000], ["backoff", 1000, 7000], ["start", 7000, 7500], ["run", 7500, 9000], ["reply", 9000, 10_000]]);
  });

  it("of one that goes on ends now", () => {
    const view = { state: "waiting", invocationId: "i", functionName: "f", acceptedAt: "2026-11-28T20:00:00.000Z" } as const;
    const nowMs = Date.parse(view.acceptedAt) + 4000;
    expect(pendingTimeline(view, nowMs)).toEqual({ totalMs: 4000, segments: [{ kind: "waiting", label: "Waiting for a slot", fromMs: 0, untilMs: 4000 }] });
    expect(pendingTimeline({ ...view, notBefore: "2026-11-28T21:00:00.000Z" }, nowMs).segments[0]?.label).toBe("Not to begin yet");
    expect(pendingTimeline({ ...view, state: "running", attempt: 2, siteId: "plant", agentId: "p1" }, nowMs).segments[0]).toMatchObject({ kind: "run", label: "Attempt 2 under way", detail: "plant / p1" });
  });
});

it("tells why it ran where it ran", () => {
  expect(whyThere(recordOf({ start: "held" }))).toBe("On plant-1 a held instance was ready: only its program had to begin.");
  expect(whyThere({ ...recordOf(), agentId: undefined })).toBe("It was never with a host.");
});

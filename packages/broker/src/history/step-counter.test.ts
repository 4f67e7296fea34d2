import { describe, expect, it } from "vitest";
import { maxFunctionsPerStep, StepCounter, tallyKey } from "./step-counter.ts";
import { pointOf } from "./tally.ts";

const ended = (functionName: string, outcome: "succeeded" | "failed" = "succeeded", start?: "warm" | "cold") => ({ functionName, result: { outcome }, ...(start && { start }) });

describe("the step counter", () => {
  it("counts outcomes, starts and durations by tenant and function, and begins anew once it is emptied", () => {
    const counter = new StepCounter(() => true);
    counter.ended("acme", ended("resize", "succeeded", "warm"), 10);
    counter.ended("acme", ended("resize", "failed", "cold"), 1_000);
    counter.ended("acme", ended("resize"));
    counter.ended("globex", ended("resize"));
    const tallies = counter.empty();
    expect([...tallies.keys()]).toEqual(["acme/resize", "globex/resize"]);
    const point = pointOf(0, tallies.get(tallyKey("acme", "resize"))!);
    expect(point).toMatchObject({ outcomes: { succeeded: 2, failed: 1 }, starts: { warm: 1, cold: 1 }, durations: { count: 2, maxMs: 1_000 } });
    expect(point.durations?.p99Ms).toBeLessThanOrEqual(1_000);
    expect(pointOf(0, tallies.get("globex/resize")!)).toEqual({ atMs: 0, outcomes: { succeeded: 1 }, starts: {} });
    expect(counter.empty().size).toBe(0);
  });

  it("counts no function that there is not", () => {
    const counter = new StepCounter((_tenantId, functionName) => functionName === "resize");
    counter.ended("acme", ended("made-up"), 1);
    counter.ended("acme", ended("resize"), 1);
    expect([[...counter.empty().keys()], counter.leftOut]).toEqual([["acme/resize"], 0]);
  });

  it("leaves out, and counts, what ends of more functions than a step holds", () => {
    const counter = new StepCounter(() => true);
    for (let at = 0; at < maxFunctionsPerStep + 3; at += 1) counter.ended("acme", ended(`f${at}`));
    counter.ended("acme", ended("f0"));
    expect(counter.leftOut).toBe(3);
    expect(counter.empty().size).toBe(maxFunctionsPerStep);
    counter.ended("acme", ended("f501"));
    expect(counter.empty().size).toBe(1);
  });
});

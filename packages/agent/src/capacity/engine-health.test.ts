import { pino } from "pino";
import { expect, it } from "vitest";
import { EngineError } from "../engine/engine.ts";
import { createFakeEngine } from "../engine/testing/fake-engine.ts";
import { settled } from "../instances/testing/pool-scene.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { watchEngineHealth } from "./engine-health.ts";

it("notices within ten seconds that the engine does not answer, and that it does again", async () => {
  const engine = createFakeEngine();
  const clock = new ManualClock();
  const changes: (string | undefined)[] = [];
  const health = watchEngineHealth(engine, await engine.describe(), clock, pino({ level: "silent" }), () => changes.push(health.problem));
  const pass = async () => {
    clock.advance(4_000);
    await settled();
  };
  await pass();
  expect(changes).toEqual([]);
  engine.goAway();
  await pass();
  await pass();
  expect(changes).toEqual(["the container engine does not answer"]);
  engine.comeBack();
  await pass();
  expect(changes).toEqual(["the container engine does not answer", undefined]);
  health.close();
  expect(clock.pending).toBe(0);
});

it("asks nothing more once it is closed, not even after an answer that was under way", async () => {
  const engine = createFakeEngine();
  const clock = new ManualClock();
  const health = watchEngineHealth(engine, await engine.describe(), clock, pino({ level: "silent" }), () => undefined);
  const held = engine.hold("describe");
  clock.advance(4_000);
  await held.reached;
  health.close();
  engine.failNext("describe", new EngineError("unreachable", 0, "away"));
  held.release();
  await settled();
  expect(clock.pending).toBe(0);
  expect(health.problem).toBeUndefined();
});

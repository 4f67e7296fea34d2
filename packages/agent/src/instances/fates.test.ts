import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { type ContainerId, type ContainerState, EngineError, type EngineEvent } from "../engine/engine.ts";
import { watchFates } from "./fates.ts";
import { settled } from "./testing/pool-scene.ts";

const id = "c1" as ContainerId;
const ended: ContainerState = { running: false, exitCode: 137, oomKilled: true, error: undefined, ip: undefined };

/** Fates whose engine tells what the test says. */
function scene() {
  let tell: (event: EngineEvent) => void = () => undefined;
  const engine = {
    state: { ...ended, running: true, exitCode: undefined } as ContainerState | undefined,
    failure: undefined as EngineError | undefined,
    inspections: 0,
    watch: (handler: (event: EngineEvent) => void) => ((tell = handler), { close: () => undefined }),
    inspectContainer: async () => {
      engine.inspections += 1;
      if (engine.failure !== undefined) throw engine.failure;
      return engine.state;
    },
  };
  const fates = watchFates(engine, pino({ level: "silent" }));
  return { engine, fates, fate: fates.follow(id), tell: (event: EngineEvent) => tell(event) };
}

describe("a container's fate", () => {
  it("is its state as the engine has it after its exit, memory included", async () => {
    const { engine, fate, tell } = scene();
    engine.state = ended;
    tell({ kind: "exited", id, exitCode: 137 });
    expect(await fate.exited).toBe(ended);
    expect(fate).toMatchObject({ exit: ended, sawOutOfMemory: true });
  });

  it("is what the event said where the engine has it no more, or cannot be asked", async () => {
    for (const failure of [undefined, new EngineError("unreachable", 0, "away")]) {
      const { engine, fate, tell } = scene();
      engine.state = undefined;
      engine.failure = failure;
      tell({ kind: "out_of_memory", id });
      tell({ kind: "exited", id, exitCode: 1 });
      expect(await fate.exited).toMatchObject({ running: false, exitCode: 1, oomKilled: true });
    }
  });

  it("is unknown in how it ended when it was removed before anybody saw it end", async () => {
    const { fate, tell } = scene();
    tell({ kind: "removed", id });
    expect(await fate.exited).toMatchObject({ running: false, exitCode: undefined });
  });

  it("is asked for after a gap in the events, and only then settled", async () => {
    const { engine, fate, tell } = scene();
    tell({ kind: "gap" });
    await settled();
    expect(fate.exit).toBeUndefined();
    engine.failure = new EngineError("unreachable", 0, "away");
    tell({ kind: "gap" });
    await settled();
    expect(fate.exit).toBeUndefined();
    engine.failure = undefined;
    engine.state = ended;
    tell({ kind: "gap" });
    expect(await fate.exited).toBe(ended);
  });

  it("is open for a container that is still to be started", async () => {
    const { engine, fate, tell } = scene();
    engine.state = { ...ended, exitCode: undefined, oomKilled: false };
    tell({ kind: "gap" });
    await settled();
    expect(fate.exit).toBeUndefined();
  });

  it("is settled once", async () => {
    const { engine, fate, tell } = scene();
    tell({ kind: "removed", id });
    engine.state = ended;
    tell({ kind: "exited", id, exitCode: 137 });
    await settled();
    expect(fate.exit?.exitCode).toBeUndefined();
  });

  it("is nobody's concern once it is forgotten, and of no other container", async () => {
    const { engine, fates, fate, tell } = scene();
    tell({ kind: "exited", id: "c2" as ContainerId, exitCode: 1 });
    fate.forget();
    tell({ kind: "gap" });
    fates.close();
    await settled();
    expect(engine.inspections).toBe(0);
    expect(fate.exit).toBeUndefined();
  });
});

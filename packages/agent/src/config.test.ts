import { describe, expect, it } from "vitest";
import { resolveAgentConfig } from "./config.ts";

describe("resolveAgentConfig()", () => {
  it("puts flags over environment over file over defaults", () => {
    const config = resolveAgentConfig({
      flags: { heldMax: 1 },
      environment: { LONGSHORE_AGENT_HELD_MAX: "2", LONGSHORE_AGENT_IDLE_MS: "5s", LONGSHORE_AGENT_MEMORY_BYTES: "1GiB" },
      file: { heldMax: 3, idleMs: 7, instancesMax: 9 },
    });
    expect(config).toMatchObject({ heldMax: 1, idleMs: 5000, memoryBytes: 2 ** 30, instancesMax: 9, drainMs: 30_000 });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it.each([
    [{ environment: { LONGSHORE_AGENT_HELDMAX: "2" } }, "LONGSHORE_AGENT_HELDMAX"],
    [{ environment: { LONGSHORE_AGENT_IDLE_MS: "5 parsecs" } }, "LONGSHORE_AGENT_IDLE_MS"],
    [{ environment: { LONGSHORE_AGENT_HELD_MAX: "many" } }, "heldMax"],
    [{ file: { colour: "red" } }, "colour"],
    [{ file: ["x"] }, "agent"],
    [{ flags: { memoryBytes: -1 } }, "memoryBytes"],
  ])("refuses %j, naming what is wrong", (sources, field) => {
    expect(() => resolveAgentConfig(sources)).toThrow(expect.objectContaining({ reason: "bad_schema", field }));
  });
});

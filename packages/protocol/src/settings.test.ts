import { describe, expect, it } from "vitest";
import { z } from "zod";
import { resolveSettings } from "./settings.ts";

const schema = z.strictObject({
  heldMax: z.number().int().min(0).default(32),
  idleMs: z.number().int().default(60_000),
  memoryBytes: z.number().int().positive().default(1),
  insecure: z.boolean().default(false),
});

describe("resolveSettings()", () => {
  it("puts flags over environment over file over defaults, and freezes them", () => {
    const settings = resolveSettings("agent", schema, {
      flags: { heldMax: 1, idleMs: undefined },
      environment: { LONGSHORE_AGENT_HELD_MAX: "2", LONGSHORE_AGENT_IDLE_MS: "5s", LONGSHORE_BROKER_LISTEN: "x", HOME: "/" },
      file: { heldMax: 3, idleMs: 7, memoryBytes: "1GiB" },
    });
    expect(settings).toEqual({ heldMax: 1, idleMs: 5000, memoryBytes: 2 ** 30, insecure: false });
    expect(Object.isFrozen(settings)).toBe(true);
  });

  it.each([
    [{ environment: { LONGSHORE_AGENT_HELDMAX: "2" } }, "LONGSHORE_AGENT_HELDMAX"],
    [{ environment: { LONGSHORE_AGENT_IDLE_MS: "5 parsecs" } }, "LONGSHORE_AGENT_IDLE_MS"],
    [{ environment: { LONGSHORE_AGENT_HELD_MAX: "many" } }, "heldMax"],
    [{ file: { colour: "red" } }, "colour"],
    [{ file: { idleMs: "soon" } }, "agent.idleMs"],
    [{ file: ["x"] }, "agent"],
    [{ flags: { memoryBytes: -1 } }, "memoryBytes"],
  ])("refuses %j, naming what is wrong", (sources, field) => {
    expect(() => resolveSettings("agent", schema, sources)).toThrow(expect.objectContaining({ reason: "bad_schema", field }));
  });
});

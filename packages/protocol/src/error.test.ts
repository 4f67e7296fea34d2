import { describe, expect, it } from "vitest";
import { z } from "zod";
import { LongshoreError, parseInput } from "./error.ts";
import { reasons } from "./reason.ts";

describe("LongshoreError", () => {
  it("crosses a process border without its cause", () => {
    const error = new LongshoreError("no_free_slot", "Cannot place \"resize\": every slot is taken", { phase: "placement", retryAfterMs: 1000, cause: new Error("secret") });
    const shape = error.toShape();
    expect(JSON.stringify(shape)).not.toContain("secret");
    expect(LongshoreError.fromShape(shape).toShape()).toEqual(shape);
  });

  it("keeps a reason that a newer peer made up, with its code's status", () => {
    const error = LongshoreError.fromShape({ code: "unavailable", reason: "moon_phase", message: "Cannot" });
    expect([error.code, error.reason, error.httpStatus]).toEqual(["unavailable", "moon_phase", 503]);
  });

  it("fills in a phase only where there was none", () => {
    expect(new LongshoreError("bus_down", "x").at("placement").phase).toBe("placement");
    expect(new LongshoreError("bus_down", "x", { phase: "startup" }).at("placement").phase).toBe("startup");
  });

  it("wraps what is not ours as unexpected, and ours not at all", () => {
    const ours = new LongshoreError("bus_down", "x");
    expect(LongshoreError.from(ours, "Cannot y")).toBe(ours);
    expect(LongshoreError.from(new TypeError("z"), "Cannot y")).toMatchObject({ reason: "unexpected", message: "Cannot y: z" });
  });

  it("gives every reason a status of its code's family", () => {
    for (const [reason, { httpStatus }] of Object.entries(reasons)) expect(httpStatus, reason).toBeGreaterThanOrEqual(400);
    expect(new LongshoreError("payload_too_large", "x").httpStatus).toBe(413);
  });
});

describe("parseInput()", () => {
  const schema = z.strictObject({ placement: z.strictObject({ sites: z.array(z.string()) }).optional() });

  it("names the field by its path", () => {
    expect(() => parseInput(schema, { placement: { sites: ["a", 5] } }, "function")).toThrow(expect.objectContaining({ reason: "bad_schema", field: "placement.sites[1]" }));
  });

  it("names an unknown key", () => {
    expect(() => parseInput(schema, { placement: { sites: [], color: 1 } }, "function")).toThrow(expect.objectContaining({ field: "placement.color" }));
  });
});

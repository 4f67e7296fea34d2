import { invocationIdSchema } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { runIdOf } from "./run-id.ts";

const run = { tenantId: "acme", scheduleName: "nightly", creationId: "00ff", dueMs: Date.parse("2026-11-28T03:00Z") };

describe("runIdOf()", () => {
  it("is a UUIDv7 of the due time, the same whoever makes it", () => {
    const id = runIdOf(run);
    expect(invocationIdSchema.parse(id)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toBe(run.dueMs);
    expect(runIdOf({ ...run })).toBe(id);
  });

  it.each([{ tenantId: "acme2" }, { scheduleName: "nightly2" }, { creationId: "00fe" }, { dueMs: run.dueMs + 1 }])("differs with %o", (other) => {
    expect(runIdOf({ ...run, ...other })).not.toBe(runIdOf(run));
  });
});

import { describe, expect, it } from "vitest";
import { EngineError } from "./engine.ts";
import { engineError, failureOf } from "./failure.ts";

describe("failureOf()", () => {
  it("goes by the status alone", () => {
    const failures = [0, 304, 400, 401, 403, 404, 409, 422, 500, 503].map((status) => failureOf(status));
    expect(failures).toEqual(["unreachable", "conflict", "bad_request", "bad_request", "conflict", "not_found", "conflict", "bad_request", "internal", "internal"]);
  });
});

describe("engineError()", () => {
  it("words the engine's own account after the action", () => {
    const cause = Object.assign(new Error("(HTTP code 404) no such container - No such image: x"), { statusCode: 404, json: { message: "No such image: x" } });
    expect(engineError('Cannot create container "a"', cause)).toMatchObject({ failure: "not_found", status: 404, message: 'Cannot create container "a": No such image: x', cause });
  });

  it("takes anything without a status for an engine that was not reached, whatever it says", () => {
    expect(engineError("Cannot ask", new Error("404 not found"))).toMatchObject({ failure: "unreachable", status: 0 });
  });

  it("keeps one of ours", () => {
    const error = new EngineError("conflict", 409, "taken");
    expect(engineError("Cannot ask", error)).toBe(error);
  });
});

import { describe, expect, it } from "vitest";
import { testRevision } from "../testing/revision.ts";
import { programOf } from "./program.ts";

/** A revision of an image with this entrypoint and command. */
function revision(entrypoint: string[], command: string[], spec: { command?: string[]; args?: string[] } = {}) {
  const base = testRevision(spec);
  return { ...base, image: { ...base.image, entrypoint, command } };
}

describe("programOf()", () => {
  it("is the image's entrypoint with its own arguments", () => {
    expect(programOf(revision(["/app"], ["--port", "1"]))).toEqual(["/app", "--port", "1"]);
    expect(programOf(revision([], ["node", "index.js"]))).toEqual(["node", "index.js"]);
  });

  it("is the revision's command in place of both", () => {
    expect(programOf(revision(["/app"], ["--port", "1"], { command: ["sh"] }))).toEqual(["sh"]);
    expect(programOf(revision(["/app"], ["--port", "1"], { command: ["sh"], args: ["-c", "true"] }))).toEqual(["sh", "-c", "true"]);
  });

  it("takes the revision's arguments in place of the image's", () => {
    expect(programOf(revision(["/app"], ["--port", "1"], { args: ["-v"] }))).toEqual(["/app", "-v"]);
    expect(programOf(revision(["/app"], ["--port", "1"], { args: [] }))).toEqual(["/app"]);
  });

  it("says so when there is none", () => {
    expect(() => programOf(revision([], []))).toThrow(/neither entrypoint nor command/);
  });
});

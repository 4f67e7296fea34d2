import { reasons } from "@longshore/protocol";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { rootFolder, sourceFiles } from "./source-files.ts";

/** Reasons that a text throws: the first argument of `new LongshoreError(` where it is written out. */
function thrown(text: string): string[] {
  return [...text.matchAll(/new LongshoreError\(\s*"([a-z_]+)"/g)].map((match) => match[1] ?? "");
}

/** Headings of docs/errors.md: reason, code and status. */
function documented(): Map<string, { code: string; status: number }> {
  const text = readFileSync(join(rootFolder, "docs/errors.md"), "utf8");
  return new Map([...text.matchAll(/^### `([a-z_]+)`\n+`([a-z_]+)`, HTTP (\d{3})/gm)].map(([, reason, code, status]) => [reason ?? "", { code: code ?? "", status: Number(status) }]));
}

describe("error reasons", () => {
  it("that are listed are documented with their code and status, and the other way round", () => {
    const listed = new Map(Object.entries(reasons).map(([reason, { code, httpStatus }]) => [reason, { code, status: httpStatus }]));
    expect(Object.fromEntries(documented())).toEqual(Object.fromEntries(listed));
  });

  it("that are thrown are listed", () => {
    const unknown = sourceFiles().flatMap(({ path, text }) => thrown(text).filter((reason) => !Object.hasOwn(reasons, reason)).map((reason) => `${path}: ${reason}`));
    expect(unknown).toEqual([]);
    expect(thrown('throw new LongshoreError("made_up", "x")')).toEqual(["made_up"]);
  });

  it("that are listed are used", () => {
    const texts = sourceFiles().filter(({ path }) => !path.endsWith("protocol/src/reason.ts") && !path.includes(".test.")).map(({ text }) => text).join("\n");
    expect(Object.keys(reasons).filter((reason) => !texts.includes(`"${reason}"`))).toEqual([]);
  });
});

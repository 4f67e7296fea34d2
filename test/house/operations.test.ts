import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { rootFolder } from "./source-files.ts";

const read = (path: string) => readFileSync(join(rootFolder, path), "utf8");

/** The first cells of the table under a heading of docs/operations.md: what it documents. */
function documented(heading: string): string[] {
  const section = read("docs/operations.md").split(/^#{2,3} /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
  return [...section.matchAll(/^\| ([^|]+) \|/gm)].flatMap((match) => [...(match[1] ?? "").matchAll(/`?(\w+)`?/g)].map((name) => name[1] ?? ""));
}

/** The keys of a zod object in a source file, read as text: they stand two columns in. */
function settings(path: string, schema: string): string[] {
  const text = read(path);
  const from = text.indexOf(`${schema} = z.strictObject({`);
  return [...text.slice(from, text.indexOf("\n})", from)).matchAll(/^ {2}(\w+): /gm)].map((match) => match[1] ?? "");
}

describe("docs/operations.md", () => {
  it.each([
    ["Broker", "packages/broker/src/config.ts", "brokerConfigSchema"],
    ["Agent", "packages/agent/src/config.ts", "agentConfigSchema"],
    ["Function files", "packages/protocol/src/function.ts", "functionDocumentSchema"],
  ])("has a row for everything under %s", (heading, path, schema) => {
    const keys = settings(path, schema);
    expect(keys.length).toBeGreaterThan(5);
    expect(keys.filter((key) => !documented(heading).includes(key))).toEqual([]);
  });

  it("has a row for each exit code", () => {
    const codes = [...read("packages/cli/src/exit-code.ts").matchAll(/^ {2}\w+: (\d+),/gm)].map((match) => match[1] ?? "");
    expect(codes.length).toBeGreaterThan(5);
    expect(codes.filter((code) => !documented("Exit codes").includes(code))).toEqual([]);
  });
});

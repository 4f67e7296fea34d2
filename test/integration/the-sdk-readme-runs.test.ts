import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exampleDocument } from "../support/examples.ts";
import { startFleet, type TestFleet } from "../support/fleet.ts";

const run = promisify(execFile);
const typeCheck = join(import.meta.dirname, "../../node_modules/typescript/bin/tsc");
const readme = readFileSync(join(import.meta.dirname, "../../packages/sdk/README.md"), "utf8");

/** A program of the document, under its nearest heading, and the lines that its comments say it prints. */
interface Program {
  readonly heading: string;
  readonly source: string;
  readonly prints: readonly string[];
}

function programsOf(document: string): Program[] {
  return [...document.matchAll(/^```ts\n(.*?)^```$/gms)].map(({ 1: source = "", index }) => ({
    heading: document.slice(0, index).match(/^## .*$/gm)?.at(-1)?.slice(3) ?? "",
    source,
    prints: [...source.matchAll(/console\.log\(.*\); \/\/ → (.*)$/gm)].map((match) => match[1] ?? ""),
  }));
}

/** What a text lacks of the lines, taken in their order. */
function missingLines(text: string, lines: readonly string[]): string[] {
  const printed = text.split("\n");
  return lines.filter((line) => {
    const at = printed.indexOf(line);
    printed.splice(0, at + 1);
    return at === -1;
  });
}

describe("the SDK's README", () => {
  let test: TestFleet;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(import.meta.dirname, "../.readme-"));
    test = await startFleet();
    for (const name of ["hello-http", "wordcount"] as const) await test.fleet.deploy(await exampleDocument(name));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await test.close();
  });

  it("has programs whose types are right", async () => {
    programsOf(readme).forEach(({ source }, index) => writeFileSync(join(folder, `program-${index}.ts`), source));
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ extends: "../../tsconfig.json", include: ["*.ts"] }));
    const { stdout } = await run(process.execPath, [typeCheck, "--project", folder]).catch((error: unknown) => error as { stdout: string });
    expect(stdout).toBe("");
  });

  it.each(programsOf(readme))("has a program that runs: $heading", async ({ source, prints }) => {
    const file = join(folder, "program.ts");
    writeFileSync(file, source);
    const { stdout } = await run(process.execPath, [file], { env: { ...process.env, LONGSHORE_URL: test.url }, timeout: 30_000 });
    expect(missingLines(stdout, prints), stdout).toEqual([]);
  });

  it("would be caught printing something else, or nothing", () => {
    expect(programsOf("## A\n```ts\nconsole.log(1); // → 1\n```\n")).toEqual([{ heading: "A", source: "console.log(1); // → 1\n", prints: ["1"] }]);
    expect(missingLines("1\n3\n2\n", ["1", "2", "3"])).toEqual(["3"]);
    expect(missingLines("", ["1"])).toEqual(["1"]);
    expect(programsOf(readme).length).toBeGreaterThan(10);
  });
});

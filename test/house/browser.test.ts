import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { importsOf, packagesFolder, rootFolder } from "./source-files.ts";

/** Every Node built-in imported by what is reachable from a module, libraries included, as `file → specifier`; and all that is reachable. */
function builtInsFrom(entry: string, readText: (url: string) => string, resolve: (specifier: string, from: string) => string): { findings: string[]; modules: Set<string> } {
  const modules = new Set([entry]);
  const findings: string[] = [];
  for (const url of modules) {
    for (const { specifier } of importsOf(readText(url))) {
      if (isBuiltin(specifier)) findings.push(`${url} → ${specifier}`);
      else modules.add(resolve(specifier, url));
    }
  }
  return { findings, modules };
}

describe("what a browser loads of the SDK", () => {
  it("reaches no Node built-in, through libraries either", () => {
    const entry = pathToFileURL(join(packagesFolder, "sdk/src/index.ts")).href;
    const { findings, modules } = builtInsFrom(entry, (url) => readFileSync(fileURLToPath(url), "utf8"), (specifier, from) => import.meta.resolve(specifier, from));
    expect(findings).toEqual([]);
    const reached = [...modules].map((url) => relative(rootFolder, fileURLToPath(url)));
    expect(reached.filter((path) => path.startsWith("packages/protocol/")).length).toBeGreaterThan(10);
    expect(reached.some((path) => path.includes("node_modules/zod/"))).toBe(true);
  });

  it("would be caught doing so", () => {
    const texts: Record<string, string> = { a: 'export * from "b";', b: 'import { readFileSync } from "fs";\nconst c = await import("node:net");' };
    expect(builtInsFrom("a", (url) => texts[url] ?? "", (specifier) => specifier).findings).toEqual(["b → fs", "b → node:net"]);
  });
});

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { importsOf, packagesFolder, rootFolder, sourceFiles } from "./source-files.ts";

/** Who may import whom (house.md): everything not named here is forbidden. `cli` reaches broker and agent through one dynamic import. */
const mayImport: Record<string, readonly string[]> = {
  protocol: [],
  broker: ["protocol"],
  agent: ["protocol"],
  sdk: ["protocol"],
  console: ["protocol", "sdk"],
  cli: ["protocol", "sdk", "console"],
};
const dynamicImports = { file: "packages/cli/src/local-fleet.ts", packages: ["broker", "agent"] };

/** A third-party library lives behind one file, or one folder. */
const behind: Record<string, RegExp> = {
  "dockerode": /^packages\/(agent\/src\/engine\/|cli\/src\/)/,
  "ws": /^packages\/broker\/src\/socket\/server\.ts$/,
  "@nats-io/": /^packages\/(broker\/src\/(bus|embedded|identity)\/|agent\/src\/(bus|join)\/)/,
  "@smithy/": /^packages\/broker\/src\/aws\//,
  "tar-stream": /^packages\/(cli\/src\/|broker\/src\/backup\/)/,
  "preact": /^packages\/console\/src\//,
  "@preact/": /^packages\/console\/src\//,
  "@opentelemetry/": /^packages\/broker\/src\/traces\/otlp\.ts$/,
  "@peculiar/x509": /^packages\/broker\/src\/identity\//,
};

const ownPackage = (path: string) => /^packages\/([^/]+)\//.exec(path)?.[1] ?? "";
const packageOf = (specifier: string) => (specifier === "longshore" ? "cli" : /^@longshore\/([a-z]+)/.exec(specifier)?.[1]);

/** Every import that the rules forbid, as `file → specifier`. */
function forbidden(files: readonly { path: string; text: string }[]): string[] {
  const found: string[] = [];
  for (const { path, text } of files) {
    for (const { specifier, isDynamic } of importsOf(text)) {
      const target = packageOf(specifier);
      const allowed = target === undefined || mayImport[ownPackage(path)]?.includes(target) === true || target === ownPackage(path);
      const throughTheDoor = isDynamic && path === dynamicImports.file && target !== undefined && dynamicImports.packages.includes(target);
      if (!allowed && !throughTheDoor) found.push(`${path} → ${specifier}`);
      const escapes = specifier.startsWith(".") && ownPackage(relative(rootFolder, join(rootFolder, dirname(path), specifier))) !== ownPackage(path);
      if (escapes) found.push(`${path} → ${specifier}`);
      for (const [library, place] of Object.entries(behind)) {
        const isIt = library.endsWith("/") ? specifier.startsWith(library) : specifier === library || specifier.startsWith(`${library}/`);
        if (isIt && !place.test(path)) found.push(`${path} → ${specifier}`);
      }
    }
  }
  return found;
}

describe("packages", () => {
  it("import only what the picture allows", () => {
    expect(forbidden(sourceFiles().filter(({ path }) => !path.includes(".test.")))).toEqual([]);
  });

  it("would be caught importing what it forbids", () => {
    expect(forbidden([{ path: "packages/broker/src/x.ts", text: 'import { a } from "@longshore/agent";' }])).toHaveLength(1);
    expect(forbidden([{ path: "packages/broker/src/x.ts", text: 'import { a } from "../../agent/src/index.ts";' }])).toHaveLength(1);
    expect(forbidden([{ path: "packages/cli/src/commands/up.ts", text: 'const { a } = await import("@longshore/agent");' }])).toHaveLength(1);
    expect(forbidden([{ path: "packages/agent/src/run/run.ts", text: 'import Docker from "dockerode";' }])).toHaveLength(1);
    expect(forbidden([{ path: "packages/protocol/src/x.ts", text: 'export { a } from "@longshore/sdk";' }])).toHaveLength(1);
  });

  it("declare only each other and libraries, and the protocol nothing but zod", () => {
    for (const name of readdirSync(packagesFolder)) {
      const manifest = JSON.parse(readFileSync(join(packagesFolder, name, "package.json"), "utf8")) as { dependencies?: Record<string, string> };
      const ours = Object.keys(manifest.dependencies ?? {}).flatMap((dependency) => packageOf(dependency) ?? []);
      const allowed = [...(mayImport[name] ?? []), ...(name === "cli" ? dynamicImports.packages : [])];
      expect(ours.filter((dependency) => !allowed.includes(dependency)), name).toEqual([]);
      if (name === "protocol") expect(Object.keys(manifest.dependencies ?? {})).toEqual(["zod"]);
    }
  });
});

describe("the protocol, the SDK and the console", () => {
  it("run in a browser: no Node built-in is imported", () => {
    const builtIns = sourceFiles()
      .filter(({ path }) => /^packages\/(protocol|sdk|console)\//.test(path) && !path.includes(".test.") && !path.includes("/testing/"))
      .flatMap(({ path, text }) => importsOf(text).filter(({ specifier }) => specifier.startsWith("node:")).map(({ specifier }) => `${path} → ${specifier}`));
    expect(builtIns).toEqual([]);
  });
});

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { root } from "../setup/workspace.mjs";

const folder = join(root, "packages", "console");
const output = join(folder, "dist");
const stamp = join(output, "fingerprint");

/** True when the console's bundle is there and was made of the sources as they are. */
export function isBundled() {
  return existsSync(stamp) && readFileSync(stamp, "utf8") === fingerprintOfSources();
}

/**
 * Makes the console's bundle: `index.html`, and under `assets` files whose names bear a hash of what is in them. Returns what was made.
 * @returns {Promise<string>}
 */
export async function bundleConsole() {
  const { build } = await import("esbuild"); // It is there once the dependencies are.
  const fingerprint = fingerprintOfSources();
  rmSync(output, { recursive: true, force: true });
  const { outputFiles } = await build({
    absWorkingDir: folder,
    entryPoints: ["src/main.tsx", "src/console.css", "src/icon.svg"],
    entryNames: "[name]-[hash]",
    outdir: "dist/assets",
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: ["es2023", "chrome120", "firefox121", "safari17.2"],
    jsx: "automatic",
    jsxImportSource: "preact",
    loader: { ".svg": "copy" },
    plugins: [englishAlone],
    legalComments: "none",
    logLevel: "silent",
  });
  mkdirSync(join(output, "assets"), { recursive: true });
  for (const { path, contents } of outputFiles) writeFileSync(path, contents);
  writeFileSync(join(output, "index.html"), pageOf(outputFiles.map(({ path }) => basename(path))));
  writeFileSync(stamp, fingerprint);
  return `${Math.round(outputFiles.reduce((sum, { contents }) => sum + contents.length, 0) / 1024)} KiB`;
}

/** zod speaks fifty languages, and hands all of them to whoever takes it whole; its messages here are English. @type {import("esbuild").Plugin} */
const englishAlone = {
  name: "english-alone",
  setup: (build) => build.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({ contents: 'export { default as en } from "./en.js";', loader: "js" })),
};

/** The page with the names of its files filled in. @param {readonly string[]} names */
function pageOf(names) {
  return readFileSync(join(folder, "src", "index.html"), "utf8").replaceAll(/\{\{([\w-]+)\.(\w+)\}\}/g, (_, name, ending) => {
    const file = names.find((each) => each.startsWith(`${name}-`) && each.endsWith(`.${ending}`));
    if (file === undefined) throw new Error(`Cannot make the console's page: there is no ${name}.${ending}`);
    return `/console/assets/${file}`;
  });
}

/** Changes with whatever the bundle is made of: the console, what it imports of ours, and the versions of the rest. */
function fingerprintOfSources() {
  const hash = createHash("sha256");
  const sources = ["console", "sdk", "protocol"].flatMap((name) => filesUnder(join(root, "packages", name, "src")));
  const others = ["pnpm-lock.yaml", "packages/console/package.json", "scripts/build/bundle-console.mjs"].map((name) => join(root, name));
  for (const file of [...sources, ...others]) hash.update(file.slice(root.length)).update("\0").update(readFileSync(file)).update("\0");
  return hash.digest("hex");
}

/** @param {string} folder @returns {string[]} */
function filesUnder(folder) {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => (entry.isDirectory() ? filesUnder(join(folder, entry.name)) : /\.test\.tsx?$/.test(entry.name) ? [] : [join(folder, entry.name)]));
}

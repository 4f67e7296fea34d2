/**
 * `npm test`: lint, types, every test, and whether the tests left anything behind. `npm test -- FILTER…` runs the tests that vitest's
 * filter matches, without lint and types. `npm test -- --engine 28 FILTER…` runs them, by default all that need an engine, against a
 * Docker 28 of the run's own. The last line is `N passed, N failed`; exit code 1 when anything failed.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInForeground } from "../packages/cli/bin/run-in-place.mjs";
import { newerEngineNeeds, testNeeds } from "./setup/needs.mjs";
import { newerEngineVersion } from "./setup/newer-engine.mjs";
import { nodePath } from "./setup/node.mjs";
import { seconds } from "./setup/progress.mjs";
import { tryCommand } from "./setup/run-command.mjs";
import { setUp } from "./setup/setup.mjs";
import { toolEnvironment } from "./setup/tool-environment.mjs";
import { root } from "./setup/workspace.mjs";
import { countResults, formatCounts } from "./test/count-results.mjs";
import { findLeftovers, listTraces } from "./test/leftovers.mjs";
import { startOwnEngine } from "./test/own-engine.mjs";
import { findWorkspaceTool } from "./workspace-tool.mjs";

process.chdir(root);
const { engine, filters } = readArguments(process.argv.slice(2));
await setUp(engine === undefined ? testNeeds : [...testNeeds, ...newerEngineNeeds]);

const counts = { passed: 0, failed: 0, skipped: 0 };
if (filters.length === 0) {
  await check("Lint", () => runTool("eslint", ["."]));
  await check("Types", () => runTool("tsc", ["--noEmit", "-p", "."]));
  await check("Types of scripts", () => runTool("tsc", ["--noEmit", "-p", "scripts"]));
}
if (engine === undefined) await runTests([], filters);
else await runTestsOnOwnEngine();
console.log(formatCounts(counts));
process.exitCode = counts.failed === 0 ? 0 : 1;

/** @param {readonly string[]} words */
function readArguments([first = "", version = "", ...filters]) {
  if (first !== "--engine") return { engine: undefined, filters: process.argv.slice(2) };
  if (version !== newerEngineVersion) {
    console.error(`Cannot run tests on engine ${JSON.stringify(version)}: npm test -- --engine ${newerEngineVersion} [FILTER…]; without --engine they run on the machine's own`);
    process.exit(2);
  }
  return { engine: version, filters: filters.length > 0 ? filters : ["--project", "integration"] };
}

/** Runs them beside the machine's engine, on one that is there for this run only. */
async function runTestsOnOwnEngine() {
  const own = await startOwnEngine();
  process.env.DOCKER_HOST = own.address;
  try {
    await runTests(own.enter, filters);
  } finally {
    await own.stop();
  }
}

/**
 * Runs vitest in a temporary folder of the run's own, then looks for what stayed.
 * @param {readonly string[]} enter words before the command
 * @param {readonly string[]} filters
 */
async function runTests(enter, filters) {
  const runId = crypto.randomUUID();
  const folder = mkdtempSync(join(tmpdir(), "longshore-tests-"));
  const run = { temporaryFolder: folder, mark: `LONGSHORE_TEST_RUN=${runId}`, enter };
  const report = join(folder, "report.json");
  try {
    const before = await listTraces(run);
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const env = { ...toolEnvironment(), TMPDIR: folder, LONGSHORE_TEST_RUN: runId };
    const [command = "", ...words] = [...enter, nodePath(), findWorkspaceTool("vitest") ?? "", "run", ...reporters, ...filters];
    const { code } = await runInForeground(command, words, env);
    const results = countResults(readReport(report), code);
    if (results.problem !== undefined) console.log(results.problem);
    for (const key of /** @type {const} */ (["passed", "failed", "skipped"])) counts[key] += results[key];
    await check("Nothing left behind", async () => {
      const leftovers = await findLeftovers(run, before);
      return { ok: leftovers.length === 0, output: leftovers.join("\n") };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * One check beside the tests, counted like one.
 * @param {string} name
 * @param {() => Promise<{ ok: boolean, output: string }>} run
 */
async function check(name, run) {
  const startedAt = performance.now();
  const { ok, output } = await run();
  if (!ok) console.log(output.trimEnd());
  console.log(`${name}: ${ok ? "passed" : "failed"} (${seconds(startedAt)})`);
  counts[ok ? "passed" : "failed"] += 1;
}

/** @param {string} tool @param {readonly string[]} args */
function runTool(tool, args) {
  return tryCommand(nodePath(), [findWorkspaceTool(tool) ?? "", ...args], { cwd: root, env: toolEnvironment() });
}

/** @param {string} path @returns {import("./test/count-results.mjs").VitestReport | undefined} */
function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

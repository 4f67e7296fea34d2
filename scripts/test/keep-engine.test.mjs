import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";

const limitMs = 90_000;
const keeperPath = join(import.meta.dirname, "keep-engine.mjs");

/** Starts a program in a session of its own, as an engine does with what holds its containers, and waits for ever. */
const engine = `
  const { spawn } = require("node:child_process");
  const { renameSync, writeFileSync } = require("node:fs");
  const folder = process.argv[1];
  const held = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)", folder + "/held"], { detached: true, stdio: "ignore" });
  writeFileSync(folder + "/written", JSON.stringify([process.pid, held.pid]));
  renameSync(folder + "/written", folder + "/started");
  setInterval(() => {}, 1000);
`;
/** Starts a keeper as a run of the tests does, and waits for ever. */
const holder = `
  require("node:child_process").spawn(process.execPath, process.argv.slice(1), { stdio: ["pipe", "inherit", "inherit"], detached: true });
  setInterval(() => {}, 1000);
`;

describe.runIf(process.platform === "linux")("keep-engine.mjs", () => {
  test("ends the engine when it is no longer held, and all that the engine left", async () => {
    const { folder, words } = keep(engine);
    const keeper = spawn(process.execPath, words);
    const ids = await startedIn(folder);
    keeper.stdin.end();
    expect(await once(keeper, "exit")).toEqual([0, null]);
    expect(existsSync(folder)).toBe(false);
    await vi.waitUntil(() => !ids.some(isRunning), { timeout: 30_000 });
  }, limitMs);

  test("does so when what held it was killed", async () => {
    const { folder, words } = keep(engine);
    const held = spawn(process.execPath, ["-e", holder, ...words]);
    const ids = await startedIn(folder);
    held.kill("SIGKILL");
    await vi.waitUntil(() => !existsSync(folder) && !ids.some(isRunning), { timeout: 60_000 });
  }, limitMs);

  test("tells the log of an engine that ended of itself", async () => {
    const { folder, words } = keep('console.error("no room left"); process.exit(3);');
    const keeper = spawn(process.execPath, words);
    let output = "";
    keeper.stdout.on("data", (text) => (output += text));
    expect(await once(keeper, "close")).toEqual([1, null]);
    expect([output.trim(), existsSync(folder)]).toEqual(["no room left", false]);
  }, limitMs);
});

/** @param {string} script of the engine; it is told the folder */
function keep(script) {
  const folder = mkdtempSync(join(tmpdir(), "longshore-keeper-"));
  return { folder, words: [keeperPath, folder, process.execPath, "-e", script, folder] };
}

/** The processes of an engine, once it has started. @param {string} folder @returns {Promise<number[]>} */
async function startedIn(folder) {
  const path = join(folder, "started");
  await vi.waitUntil(() => existsSync(path), { timeout: 30_000 });
  return JSON.parse(readFileSync(path, "utf8"));
}

/** @param {number} id */
function isRunning(id) {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${id}/stat`, "utf8"));
  } catch {
    return false;
  }
}

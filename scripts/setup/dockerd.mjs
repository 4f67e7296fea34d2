import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, realpathSync, rmSync, watch } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../packages/cli/bin/tool-cache.mjs";
import { pingEngine } from "./engine-address.mjs";
import { SetupFailure } from "./failure.mjs";
import { findCommand, runsSystemd } from "./machine.mjs";
import { runCommand } from "./run-command.mjs";

const startLimitMs = 90_000;
const processFile = "/var/run/docker.pid";
const containerdProcessFile = "/var/run/docker/containerd/containerd.pid";

/**
 * Starts the machine's own dockerd and resolves when it answers, to how a person stops it. It belongs to the machine from then on:
 * nothing of ours stops it.
 * @returns {Promise<string>}
 */
export async function startDockerd() {
  if (runsSystemd()) {
    await runCommand("systemctl", ["start", "docker"], { advice: "See why with: journalctl --unit docker" });
    await untilAnswers(undefined);
    return "stop it with: systemctl stop docker";
  }
  // Where there is an init system of another kind, installing the package has started it.
  if (!isRunning(processFile, "dockerd")) await spawnDockerd();
  else await untilAnswers(undefined);
  return `stop it with: kill ${readFileSync(processFile, "utf8").trim()}`;
}

/** Starts dockerd as a process of its own that outlives us, with its log in the cache. */
async function spawnDockerd() {
  if (!hasControlGroups()) await runCommand("cgroupfs-mount", []);
  forgetDeadProcesses();
  mkdirSync(cacheFolder(), { recursive: true });
  const logPath = join(cacheFolder(), "dockerd.log");
  const log = openSync(logPath, "a");
  const dockerd = spawn(findCommand("dockerd") ?? "dockerd", [], { detached: true, stdio: ["ignore", log, log], cwd: "/" });
  /** @type {Promise<never>} */
  const ended = new Promise((_, reject) => {
    const fail = (/** @type {string} */ why) => reject(new SetupFailure(`dockerd ${why}`, { output: readFileSync(logPath, "utf8"), advice: `Its log is ${logPath}.` }));
    dockerd.on("error", (error) => fail(`cannot be started: ${error.message}`));
    dockerd.on("exit", (code, signal) => fail(`ended with ${signal ?? `code ${code}`} before it answered`));
  });
  await untilAnswers(ended);
  dockerd.unref();
}

/** True when the control groups that containers live in are mounted; without an init system nobody may have done it. */
export function hasControlGroups() {
  return ["cgroup.controllers", "memory"].some((name) => existsSync(join("/sys/fs/cgroup", name)));
}

/**
 * Removes process-id files that a killed dockerd left and whose number another program bears by now: dockerd would take that program
 * for itself, or for its containerd, and refuse to start.
 */
function forgetDeadProcesses() {
  if (!isRunning(processFile, "dockerd")) rmSync(processFile, { force: true });
  if (!isRunning(containerdProcessFile, "containerd")) rmSync(containerdProcessFile, { force: true });
}

/** @param {string} path of a file with a process id @param {string} program */
function isRunning(path, program) {
  try {
    const name = readFileSync(`/proc/${readFileSync(path, "utf8").trim()}/comm`, "utf8");
    return name.trim() === program;
  } catch {
    return false;
  }
}

/**
 * Resolves when the engine answers. It looks whenever something changes where the socket will be; once the socket is there the question
 * waits in it until dockerd is ready.
 * @param {Promise<never> | undefined} ended rejects when there is no more hope
 * @param {string} [folder] where its socket will be
 * @param {string} [address] as in DOCKER_HOST
 * @returns {Promise<void>}
 */
export async function untilAnswers(ended, folder = realpathSync("/var/run"), address = process.env.DOCKER_HOST) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let limit;
  /** @type {import("node:fs").FSWatcher | undefined} */
  let watcher;
  /** @type {Promise<void>} */
  const answered = new Promise((resolve, reject) => {
    const look = async () => {
      if ((await pingEngine(address)) !== undefined) resolve();
    };
    watcher = watch(folder, () => void look());
    limit = setTimeout(() => reject(new SetupFailure(`dockerd does not answer after ${startLimitMs / 1000} s`)), startLimitMs);
    void look();
  });
  try {
    await Promise.race(ended === undefined ? [answered] : [answered, ended]);
  } finally {
    watcher?.close();
    clearTimeout(limit);
  }
}

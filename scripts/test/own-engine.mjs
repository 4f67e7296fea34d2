import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pingEngine } from "../setup/engine-address.mjs";
import { SetupFailure } from "../setup/failure.mjs";
import { newerEnginePath } from "../setup/newer-engine.mjs";
import { tryCommand } from "../setup/run-command.mjs";

const startLimitMs = 90_000;
const stopLimitMs = 60_000;
const lookMs = 200;
/** Loopback, and an address beside it, as every host has one. */
const interfaces = "ip link set lo up && ip link add outside type veth peer name other-end && ip address add 192.0.2.1/24 dev outside && ip link set outside up && ip link set other-end up";

/**
 * An engine for one run of the tests: own data, own sockets, and a network namespace of its own, so that its bridges and firewall rules
 * and those of the machine's engine never meet.
 * @typedef {object} OwnEngine
 * @property {string} address for DOCKER_HOST
 * @property {readonly string[]} enter the words before a command that reaches its containers
 * @property {() => Promise<void>} stop ends it; nothing of it is left
 */

/** Starts the newer engine. @returns {Promise<OwnEngine>} */
export async function startOwnEngine() {
  const folder = mkdtempSync(join(tmpdir(), "longshore-engine-"));
  const address = `unix://${join(folder, "docker.sock")}`;
  const logPath = join(folder, "dockerd.log");
  const log = openSync(logPath, "a");
  const options = { "--data-root": "data", "--exec-root": "exec", "--pidfile": "docker.pid" };
  const words = ["dockerd", ...Object.entries(options).flatMap(([name, path]) => [name, join(folder, path)]), "--host", address];
  const env = { ...process.env, PATH: `${newerEnginePath()}:${process.env.PATH ?? ""}` };
  const dockerd = spawn("unshare", ["--net", "sh", "-c", `${interfaces} && exec "$@"`, "sh", ...words], { stdio: ["ignore", log, log], env, detached: true });
  const ended = once(dockerd, "exit");
  const stop = () => stopOwnEngine(dockerd, ended, folder);
  try {
    await untilAnswers(dockerd, address);
  } catch (error) {
    const output = readFileSync(logPath, "utf8");
    await stop();
    throw new SetupFailure(`The engine for the tests cannot be started: ${error instanceof Error ? error.message : String(error)}`, { output });
  }
  return { address, enter: ["nsenter", `--net=/proc/${dockerd.pid}/ns/net`, "--"], stop };
}

/**
 * @param {import("node:child_process").ChildProcess} dockerd
 * @param {string} address
 */
async function untilAnswers(dockerd, address) {
  const giveUpAt = performance.now() + startLimitMs;
  while ((await pingEngine(address)) === undefined) {
    if (dockerd.exitCode !== null || dockerd.signalCode !== null) throw new Error("dockerd ended before it answered");
    if (performance.now() > giveUpAt) throw new Error(`dockerd does not answer after ${startLimitMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

/**
 * @param {import("node:child_process").ChildProcess} dockerd
 * @param {Promise<unknown>} ended
 * @param {string} folder
 */
async function stopOwnEngine(dockerd, ended, folder) {
  dockerd.kill("SIGTERM");
  const limit = setTimeout(() => dockerd.kill("SIGKILL"), stopLimitMs);
  await ended;
  clearTimeout(limit);
  for (const place of mountsBelow(folder)) await tryCommand("umount", ["--lazy", place]);
  rmSync(folder, { recursive: true, force: true });
}

/** What is mounted below a folder, the innermost first. @param {string} folder */
function mountsBelow(folder) {
  const places = readFileSync("/proc/self/mounts", "utf8").split("\n").map((line) => line.split(" ")[1] ?? "");
  return places.filter((place) => place.startsWith(`${folder}/`)).reverse();
}

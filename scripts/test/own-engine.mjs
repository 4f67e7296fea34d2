import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { untilAnswers } from "../setup/dockerd.mjs";
import { SetupFailure } from "../setup/failure.mjs";
import { newerEnginePath } from "../setup/newer-engine.mjs";
import { nodePath } from "../setup/node.mjs";

const keeperPath = join(import.meta.dirname, "keep-engine.mjs");
/** Loopback, and an address beside it, as every host has one. */
const interfaces = "ip link set lo up && ip link add outside type veth peer name other-end && ip address add 192.0.2.1/24 dev outside && ip link set outside up && ip link set other-end up";

/**
 * An engine for one run of the tests: own data, own sockets, and a network namespace of its own, so that its bridges and firewall rules
 * and those of the machine's engine never meet. It ends with this process, however that ends.
 * @typedef {object} OwnEngine
 * @property {string} address for DOCKER_HOST
 * @property {readonly string[]} enter the words before a command that reaches its containers
 * @property {() => Promise<void>} stop ends it; nothing of it is left
 */

/** Starts the newer engine. @returns {Promise<OwnEngine>} */
export async function startOwnEngine() {
  const folder = mkdtempSync(join(tmpdir(), "longshore-engine-"));
  const address = `unix://${join(folder, "docker.sock")}`;
  const options = { "--data-root": "data", "--exec-root": "exec", "--pidfile": "docker.pid" };
  const dockerd = ["dockerd", ...Object.entries(options).flatMap(([name, path]) => [name, join(folder, path)]), "--host", address];
  const env = { ...process.env, PATH: `${newerEnginePath()}:${process.env.PATH ?? ""}` };
  const words = ["--net", "sh", "-c", `${interfaces} && exec "$@"`, "sh", nodePath(), keeperPath, folder, ...dockerd];
  // Detached: a Ctrl-C is for the tests, which still need their engine to clean up.
  const keeper = spawn("unshare", words, { stdio: ["pipe", "pipe", "pipe"], env, detached: true });
  const ended = once(keeper, "close");
  let output = "";
  for (const stream of [keeper.stdout, keeper.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  keeper.stdin.on("error", () => {});
  const stop = async () => {
    keeper.stdin.end();
    await ended;
  };
  try {
    await untilAnswers(ended.then(() => Promise.reject(new Error("dockerd ended before it answered"))), folder, address);
  } catch (error) {
    await stop();
    throw new SetupFailure(`The engine for the tests cannot be started: ${error instanceof Error ? error.message : String(error)}`, { output });
  }
  return { address, enter: ["nsenter", `--net=/proc/${keeper.pid}/ns/net`, "--"], stop };
}

import { existsSync, readFileSync, realpathSync, rmSync, watch } from "node:fs";
import { pingEngine } from "./engine-address.mjs";
import { SetupFailure, tail } from "./failure.mjs";
import { runsSystemd } from "./machine.mjs";
import { runCommand } from "./run-command.mjs";

const script = "/etc/init.d/docker";
/** Written by that script. */
const scriptProcessFile = "/var/run/docker-ssd.pid";
/** Written by dockerd: its own and its containerd's. */
const ownProcessFiles = { "/var/run/docker.pid": "dockerd", "/var/run/docker/containerd/containerd.pid": "containerd" };
const logPath = "/var/log/docker.log";
const startLimitMs = 90_000;

/**
 * Starts the machine's own dockerd as Debian does, by systemd or by its start script, and resolves when it answers. It belongs to the
 * machine from then on: nothing of ours stops it. Returns how a person stops it.
 * @returns {Promise<string>}
 */
export async function startDockerd() {
  if (runsSystemd()) {
    await runCommand("systemctl", ["start", "docker"], { advice: "See why with: journalctl --unit docker" });
    await untilAnswers({ hasEnded: () => false, readLog: () => "" });
    return "stop it with: systemctl stop docker";
  }
  if (!existsSync(script)) {
    throw new SetupFailure(`dockerd is installed, but neither systemd nor ${script} is there to start it`, { advice: "Start dockerd, then run the command again." });
  }
  forgetDeadProcesses();
  await runCommand(script, ["start"]);
  await untilAnswers({
    hasEnded: () => !existsSync(scriptProcessFile) || processName(readFileSync(scriptProcessFile, "utf8")) === undefined,
    readLog: () => (existsSync(logPath) ? tail(readFileSync(logPath, "utf8")) : ""),
  });
  return `stop it with: ${script} stop`;
}

/**
 * Removes process-id files that a killed dockerd left and whose number another program bears by now: dockerd would take that program
 * for itself, or for its containerd, and refuse to start.
 */
function forgetDeadProcesses() {
  for (const [path, name] of Object.entries(ownProcessFiles)) {
    if (existsSync(path) && processName(readFileSync(path, "utf8")) !== name) rmSync(path);
  }
}

/** @param {string} processId @returns {string | undefined} undefined when there is no such process */
function processName(processId) {
  try {
    return readFileSync(`/proc/${processId.trim()}/comm`, "utf8").trim();
  } catch {
    return undefined;
  }
}

/**
 * Resolves when the engine answers. It looks whenever something changes where the socket will be; once the socket is there the question
 * waits in it until dockerd is ready. The timer is for what tells nobody: a dockerd that ends.
 * @param {{ hasEnded: () => boolean, readLog: () => string }} dockerd
 * @returns {Promise<void>}
 */
function untilAnswers(dockerd) {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const watcher = watch(realpathSync("/var/run"), () => void look());
    const timer = setInterval(() => void look(), 1000);
    let isLooking = false;

    async function look() {
      if (isLooking) return;
      isLooking = true;
      const hadEnded = dockerd.hasEnded();
      if ((await pingEngine()) !== undefined) finish(resolve);
      else if (hadEnded) finish(() => reject(new SetupFailure("dockerd ended at once", { output: dockerd.readLog() })));
      else if (performance.now() - startedAt > startLimitMs) {
        finish(() => reject(new SetupFailure(`dockerd does not answer after ${startLimitMs / 1000} s`, { output: dockerd.readLog() })));
      }
      isLooking = false;
    }

    /** @param {() => void} end */
    function finish(end) {
      watcher.close();
      clearInterval(timer);
      end();
    }

    void look();
  });
}

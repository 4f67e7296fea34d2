import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";

/** Signals that a terminal sends to the whole foreground group, and so to the child as well. */
const terminalSignals = new Set(["SIGINT", "SIGQUIT", "SIGHUP"]);
const forwardedSignals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2"]);

/**
 * Runs a command as if it had replaced this process: same terminal, signals passed on (each reaches it once), and this process ends
 * with its exit code or by its signal.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
export function runInPlace(command, args, env = process.env) {
  const child = spawn(command, args, { stdio: "inherit", env });
  for (const signal of forwardedSignals) {
    process.on(signal, () => {
      if (!terminalSignals.has(signal) || !isInForeground()) child.kill(signal);
    });
  }
  child.on("error", (error) => {
    console.error(`Cannot run ${command}: ${error.message}`);
    process.exit(127);
  });
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // A signal that does not end this process (SIGUSR2 with a debugger, a stop signal) must still end in the code a shell would give.
    setImmediate(() => process.exit(128 + constants.signals[signal]));
  });
}

/** True when this process's group is the foreground group of a terminal: then Ctrl-C reaches the child without us. */
function isInForeground() {
  try {
    const stat = readFileSync("/proc/self/stat", "utf8");
    // The command's name, in parentheses, may itself hold spaces: fields are counted after it (proc(5): state ppid pgrp session tty_nr tpgid).
    const [, , group, , , foregroundGroup] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return group === foregroundGroup;
  } catch {
    return process.stdin.isTTY === true;
  }
}

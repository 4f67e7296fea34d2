import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";

const forwardedSignals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2"]);
/** Signals that a terminal sends to the whole foreground group, and so to the child as well. */
const terminalSignals = new Set(/** @type {readonly string[]} */ (["SIGINT", "SIGQUIT", "SIGHUP"]));

/**
 * Runs a command as if it had replaced this process: same terminal, signals passed on, and this process ends with its exit code or by
 * its signal.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<never>}
 */
export async function runInPlace(command, args, env = process.env) {
  const { code, signal } = await runInForeground(command, args, env);
  if (signal === null) process.exit(code);
  process.kill(process.pid, signal);
  // A signal that Node does not let end this process still ends in the code that a shell would give.
  await new Promise((resolve) => setTimeout(resolve, 100));
  process.exit(128 + constants.signals[signal]);
}

/**
 * Runs a command on this terminal to its end. A signal that comes meanwhile reaches the command, once, and does not end this process.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<{ code: number, signal: NodeJS.Signals | null }>} 127 when it cannot be started
 */
export function runInForeground(command, args, env = process.env) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: "inherit", env });
    const forward = (/** @type {NodeJS.Signals} */ signal) => {
      if (!terminalSignals.has(signal) || !isInForeground()) child.kill(signal);
    };
    for (const signal of forwardedSignals) process.on(signal, forward);
    const finish = (/** @type {number | null} */ code, /** @type {NodeJS.Signals | null} */ signal) => {
      for (const name of forwardedSignals) process.off(name, forward);
      resolve({ code: code ?? 1, signal });
    };
    child.on("exit", finish);
    child.on("error", (error) => {
      console.error(`Cannot run ${command}: ${error.message}`);
      finish(127, null);
    });
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

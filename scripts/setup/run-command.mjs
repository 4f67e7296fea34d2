import { spawn } from "node:child_process";
import { SetupFailure } from "./failure.mjs";

/**
 * @typedef {object} CommandOptions
 * @property {NodeJS.ProcessEnv} [env] added to this process's own
 * @property {string} [cwd]
 * @property {number} [timeoutMs]
 * @property {string} [title] what an error calls it; by default its first words
 * @property {string} [advice] what a person can do when it fails
 */

/**
 * Runs a command to its end without a terminal or input and returns what it printed, both streams together.
 * Throws a SetupFailure with the tail of that when it fails; ends the command when set-up itself is told to stop.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {CommandOptions} [options]
 * @returns {Promise<string>}
 */
export async function runCommand(command, args, options = {}) {
  const result = await tryCommand(command, args, options);
  if (result.ok) return result.output;
  const title = options.title ?? [command, ...args.slice(0, 3)].join(" ");
  throw new SetupFailure(`Cannot run ${title}: ${result.why}`, {
    output: result.output,
    ...(options.advice === undefined ? {} : { advice: options.advice }),
  });
}

/**
 * Like {@link runCommand}, with failure as a value.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {CommandOptions} [options]
 * @returns {Promise<{ ok: boolean, output: string, why: string }>}
 */
export function tryCommand(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...options.env },
      cwd: options.cwd,
      timeout: options.timeoutMs,
    });
    const stop = (/** @type {NodeJS.Signals} */ signal) => {
      child.kill(signal);
      process.exit(signal === "SIGINT" ? 130 : 143);
    };
    process.on("SIGINT", stop).on("SIGTERM", stop);
    let output = "";
    const collect = (/** @type {string} */ text) => (output = (output + text).slice(-1_000_000));
    child.stdout.setEncoding("utf8").on("data", collect);
    child.stderr.setEncoding("utf8").on("data", collect);
    /** @param {string | undefined} why */
    const finish = (why) => {
      process.off("SIGINT", stop).off("SIGTERM", stop);
      resolve({ ok: why === undefined, output, why: why ?? "" });
    };
    child.on("error", (error) => finish(error.message));
    child.on("close", (code, signal) => finish(code === 0 ? undefined : signal === null ? `exit code ${code}` : `ended by ${signal}`));
  });
}

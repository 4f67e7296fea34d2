import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const command = fileURLToPath(new URL("../../packages/cli/bin/longshore.mjs", import.meta.url));

/** The command line on a pseudo-terminal of 120 by 40, by util-linux's `script`. */
export interface OnTerminal {
  /** Everything that it wrote. */
  readonly written: () => string;
  /** Resolves once what it wrote fits; throws when it does not in time. */
  readonly until: (pattern: RegExp, withinMs?: number) => Promise<void>;
  readonly type: (keys: string) => void;
  /** Resolves with its exit code. */
  readonly ended: Promise<number>;
  /** Ends it by a signal. */
  readonly kill: (signal: NodeJS.Signals) => void;
}

/** Starts one command on a terminal of its own. */
export function startOnTerminal(argv: readonly string[], environment: Readonly<Record<string, string>> = {}): OnTerminal {
  const line = [process.execPath, command, ...argv].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  const child = spawn("script", ["-qefc", `stty rows 40 cols 120; exec ${line}`, "/dev/null"], { env: { ...process.env, TERM: "xterm-256color", ...environment }, stdio: ["pipe", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => (text += part));
  const ended = once(child, "close").then(([code]) => Number(code ?? -1));
  return {
    written: () => text,
    async until(pattern, withinMs = 30_000) {
      for (const untilMs = performance.now() + withinMs; performance.now() < untilMs; await pause(50)) if (pattern.test(text)) return;
      throw new Error(`Nothing fits ${pattern.source} in ${JSON.stringify(text.slice(-4_000))}`);
    },
    type: (keys) => void child.stdin.write(keys),
    ended,
    kill: (signal) => void child.kill(signal),
  };
}

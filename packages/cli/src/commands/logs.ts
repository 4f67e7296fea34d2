import type { LogLine } from "@longshore/protocol";
import { defineCommand } from "../command-line/command.ts";
import { readCount } from "../command-line/count.ts";
import { exitCodeOfInterruption, type Interruption } from "../command-line/interrupts.ts";
import { exitCodes } from "../exit-code.ts";
import { inert } from "../terminal/inert.ts";
import type { Style } from "../terminal/style.ts";

/** `12:00:01.250 plant/plant-1 1f3c err text` */
export function formatLogLine(line: LogLine, style: Style): string {
  const at = line.at.slice(11, 23);
  const from = `${line.siteId}/${line.agentId} ${line.instanceId.slice(-6)}`;
  const stream = line.stream === "stderr" ? style.yellow("err") : line.stream === "system" ? style.red("sys") : "out";
  return `${style.dim(inert(`${at} ${from}`))} ${stream} ${inert(line.line)}`;
}

/** `longshore logs` */
export const logs = defineCommand({
  path: ["logs"],
  summary: "Show what a function's instances write, on every agent",
  description: "Each line tells when, where (site/agent and the end of the instance's id) and on which stream it was written: out, err, or sys for the agent's own notes about the instance.",
  options: {
    follow: { short: "f", summary: "Go on with new lines until Ctrl-C" },
    tail: { value: "N", summary: "At most that many lines from before (default 100)" },
  },
  arguments: { name: { summary: "The function" } },
  examples: [
    ["longshore logs resize", "The last 100 lines"],
    ["longshore logs -f --tail 0 --json resize", "New lines only, for a program"],
  ],
  run: async ({ args, options }, { fleet, terminal, json, interrupts }) => {
    const signal = options.follow ? interrupts.signal() : undefined;
    const tail = readCount(options.tail ?? "100", "--tail", 10_000);
    try {
      for await (const line of fleet().logs(args.name, { follow: options.follow, tail, ...(signal !== undefined && { signal }) })) {
        terminal.print(json ? JSON.stringify(line) : formatLogLine(line, terminal.style));
      }
    } catch (error) {
      if (signal?.aborted !== true) throw error;
    }
    return signal?.aborted === true ? exitCodeOfInterruption(signal.reason as Interruption) : exitCodes.succeeded;
  },
});

import { parseDuration, parseWhere } from "@longshore/protocol";
import { defineCommand } from "../command-line/command.ts";
import { UsageError } from "../command-line/usage-error.ts";
import { openBody } from "../invocation/body.ts";
import { inert, inertJson } from "../terminal/inert.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { describeTimes } from "./schedule.ts";

const example = 'longshore schedule set nightly --function report --cron "0 3 * * 1-5" --time-zone Europe/Berlin';

/** `longshore schedule set` */
export const scheduleSet = defineCommand({
  path: ["schedule", "set"],
  summary: "Invoke a function by cron line or interval",
  description:
    "Sets the whole schedule: what is not given is as for a new one, but a pause stays. A cron line has five parts: minute, hour, day, month, weekday. " +
    "Each due time is one accepted invocation. --missed says what becomes of due times that no broker was there for: skip, once (one run for all of them) or all.",
  options: {
    function: { value: "NAME", summary: "The function" },
    cron: { value: "LINE", summary: "When: five parts, as 0 3 * * 1-5" },
    timeZone: { value: "ZONE", summary: "Whose local time the cron line means (default UTC)" },
    every: { value: "TIME", summary: "When: at an interval, as 5m, instead of --cron" },
    data: { value: "DATA", short: "d", summary: "What to send: text, or @FILE, or @- for stdin" },
    contentType: { value: "TYPE", summary: "Content-Type of what is sent" },
    where: { value: "RULES", summary: "Where it may run: site=plant,label.gpu=true" },
    missed: { value: "POLICY", summary: "skip, once or all (default once)" },
    maxAge: { value: "TIME", summary: "A run that has not begun within that time expires" },
    paused: { summary: "Run nothing for now" },
  },
  arguments: { name: { summary: "The schedule's name" } },
  examples: [
    [example, "On working days, by the clocks of Berlin"],
    ["longshore schedule set poll --function poll --every 30s --missed skip", "Every half a minute; nothing is made up"],
  ],
  run: async ({ args, options }, { fleet, terminal, json }) => {
    if (options.function === undefined) throw new UsageError("Cannot set the schedule: --function is missing", example);
    const document = {
      name: args.name,
      function: options.function,
      ...given({ cron: options.cron, timeZone: options.timeZone, contentType: options.contentType, missed: options.missed }),
      ...given({ everyMs: durationOf(options.every, "--every"), maxAgeMs: durationOf(options.maxAge, "--max-age") }),
      ...(options.where !== undefined && { where: parseWhere(options.where, "--where") }),
      ...(options.paused && { paused: true }),
      ...(await readBody(options.data, terminal)),
    };
    // Whether it is one is the broker's to say: it names the field.
    const view = await fleet().schedules.set(document);
    terminal.print(json ? inertJson(view) : inert(`${view.name} runs ${view.function} ${describeTimes(view)}${view.nextAt === undefined ? "; it is paused" : `, next at ${view.nextAt}`}`));
  },
});

function given(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function durationOf(text: string | undefined, flag: string): number | undefined {
  return text === undefined ? undefined : parseDuration(text, flag);
}

/** Stdin is read only when it is asked for: a schedule is often set by a script whose stdin is something else. */
async function readBody(data: string | undefined, terminal: Terminal): Promise<{ body?: string; bodyBase64?: string }> {
  if (data === undefined) return {};
  const bytes = new Uint8Array(await new Response((await openBody(data, terminal)) as BodyInit).arrayBuffer());
  try {
    return { body: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { bodyBase64: Buffer.from(bytes).toString("base64") };
  }
}

import type { ScheduleView } from "@longshore/protocol";
import { defineCommand } from "../command-line/command.ts";
import { inert, inertJson } from "../terminal/inert.ts";
import { formatBytes, formatDuration } from "../terminal/quantity.ts";
import { type Column, renderTable } from "../terminal/table.ts";

const name = { summary: "The schedule's name" };

/** When a schedule is due, in words: `at 0 3 * * 1-5 (Europe/Berlin)`, `every 5m`. */
export function describeTimes({ cron, timeZone, everyMs }: Pick<ScheduleView, "cron" | "timeZone" | "everyMs">): string {
  return cron === undefined ? `every ${formatDuration(everyMs ?? 0)}` : `at ${cron} (${timeZone ?? "UTC"})`;
}

/** `longshore schedule ls` */
export const scheduleLs = defineCommand({
  path: ["schedule", "ls"],
  summary: "List schedules",
  options: {},
  arguments: {},
  examples: [["longshore schedule ls", "With their next and last due times"]],
  run: async (_input, { fleet, terminal, json }) => {
    const schedules = await fleet().schedules.list();
    if (json) terminal.print(inertJson({ schedules }));
    else if (schedules.length === 0) terminal.note("There are no schedules; longshore schedule set NAME makes one");
    else terminal.print(renderTable(columns, schedules, terminal.style));
  },
});

const columns: readonly Column<ScheduleView>[] = [
  { title: "SCHEDULE", cell: (view) => view.name },
  { title: "FUNCTION", cell: (view) => view.function },
  { title: "WHEN", cell: describeTimes },
  { title: "NEXT", cell: ({ nextAt }) => nextAt ?? "paused" },
  { title: "LAST", cell: ({ lastAt, lastError }) => (lastError === undefined ? (lastAt ?? "-") : `${lastAt ?? ""} ${lastError.reason}`) },
];

/** `longshore schedule show` */
export const scheduleShow = defineCommand({
  path: ["schedule", "show"],
  summary: "Show a schedule and what became of its last run",
  options: {},
  arguments: { name },
  examples: [["longshore schedule show nightly", "longshore invocation show ID tells more of the last run"]],
  run: async ({ args }, { fleet, terminal, json }) => {
    const view = await fleet().schedules.get(args.name);
    if (json) return terminal.print(inertJson(view));
    for (const [field, value] of rowsOf(view)) if (value !== undefined) terminal.print(`${terminal.style.dim(field.padEnd(9))} ${inert(value)}`);
  },
});

function rowsOf(view: ScheduleView): readonly (readonly [field: string, value: string | undefined])[] {
  return [
    ["schedule", view.name],
    ["function", view.function],
    ["when", describeTimes(view)],
    ["missed", view.missed],
    ["body", `${formatBytes(view.bodyBytes)}${view.contentType === undefined ? "" : `, ${view.contentType}`}`],
    ["max age", view.maxAgeMs === undefined ? undefined : formatDuration(view.maxAgeMs)],
    ["next", view.nextAt ?? "paused"],
    ["last", view.lastAt === undefined ? undefined : `${view.lastAt} ${view.lastInvocationId ?? ""}`.trim()],
    ["error", view.lastError === undefined ? undefined : `${view.lastError.reason}: ${view.lastError.message}`],
  ];
}

/** `longshore schedule pause` */
export const schedulePause = defineCommand({
  path: ["schedule", "pause"],
  summary: "Run nothing of a schedule for now",
  options: {},
  arguments: { name },
  examples: [["longshore schedule pause nightly", "What it had accepted goes on"]],
  run: async ({ args }, { fleet, terminal, json }) => {
    const view = await fleet().schedules.pause(args.name);
    terminal.print(json ? inertJson(view) : inert(`Paused ${view.name}`));
  },
});

/** `longshore schedule resume` */
export const scheduleResume = defineCommand({
  path: ["schedule", "resume"],
  summary: "Run a schedule again; what came due in its pause is not made up",
  options: {},
  arguments: { name },
  examples: [["longshore schedule resume nightly", "From its next due time on"]],
  run: async ({ args }, { fleet, terminal, json }) => {
    const view = await fleet().schedules.resume(args.name);
    terminal.print(json ? inertJson(view) : inert(`Resumed ${view.name}, next at ${view.nextAt ?? "-"}`));
  },
});

/** `longshore schedule run` */
export const scheduleRun = defineCommand({
  path: ["schedule", "run"],
  summary: "Run a schedule once now, besides its due times",
  options: {},
  arguments: { name },
  examples: [["longshore schedule run nightly", "Also while it is paused; prints the invocation's id"]],
  run: async ({ args }, { fleet, terminal, json }) => {
    const { invocationId } = await fleet().schedules.run(args.name);
    terminal.print(json ? inertJson({ invocationId }) : inert(invocationId));
  },
});

/** `longshore schedule rm` */
export const scheduleRm = defineCommand({
  path: ["schedule", "rm"],
  summary: "Remove a schedule",
  options: {},
  arguments: { name },
  examples: [["longshore schedule rm nightly", "What it had accepted goes on"]],
  run: async ({ args }, { fleet, terminal, json }) => {
    await fleet().schedules.remove(args.name);
    terminal.print(json ? inertJson({ removed: args.name }) : inert(`Removed ${args.name}`));
  },
});

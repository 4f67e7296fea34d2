import type { FunctionView } from "@longshore/protocol";
import { defineCommand } from "../command-line/command.ts";
import { inertJson } from "../terminal/inert.ts";
import { formatAge, formatBytes, formatDuration } from "../terminal/quantity.ts";
import { type Column, renderTable } from "../terminal/table.ts";

const columns = (nowMs: number): readonly Column<FunctionView>[] => [
  { title: "NAME", cell: (view) => view.name },
  { title: "REVISION", cell: (view) => String(view.revision), align: "right" },
  { title: "CONTRACT", cell: (view) => view.contract },
  { title: "MEMORY", cell: (view) => formatBytes(view.memoryBytes), align: "right" },
  { title: "TIMEOUT", cell: (view) => formatDuration(view.timeoutMs), align: "right" },
  { title: "SITES", cell: (view) => view.placement.sites?.join(",") ?? "any" },
  { title: "AGE", cell: (view) => formatAge(view.createdAt, nowMs), align: "right" },
  { title: "IMAGE", cell: (view) => view.image },
];

/** `longshore ls` */
export const ls = defineCommand({
  path: ["ls"],
  summary: "List the functions",
  options: {},
  arguments: {},
  examples: [["longshore ls", "Every function with its current revision"]],
  run: async (_input, { fleet, terminal, json, now }) => {
    const functions = await fleet().list();
    if (json) terminal.print(inertJson({ functions }));
    else if (functions.length === 0) terminal.note("No function is deployed. longshore deploy --help shows how");
    else terminal.print(renderTable(columns(now()), functions, terminal.style));
  },
});

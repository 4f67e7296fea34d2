import type { InvocationView, UnreadableInvocation } from "@longshore/protocol";
import { readCount } from "../command-line/count.ts";
import { defineCommand } from "../command-line/command.ts";
import { inert, inertJson } from "../terminal/inert.ts";
import { formatAge } from "../terminal/quantity.ts";
import { type Column, renderTable } from "../terminal/table.ts";

const defaultLimit = 50;

/** `longshore invocation ls` */
export const invocationLs = defineCommand({
  path: ["invocation", "ls"],
  summary: "List accepted invocations that have not ended, or that have",
  description: "In order of their last change. Calls that are waited for are not among them.",
  options: {
    function: { value: "NAME", summary: "Only those of this function" },
    finished: { summary: "Those that have ended, kept for seven days" },
    limit: { value: "N", summary: `At most so many; default ${defaultLimit}` },
  },
  arguments: {},
  examples: [["longshore invocation ls --function resize", "What waits, and what is with an agent"]],
  run: async ({ options }, { fleet, terminal, json, now }) => {
    const limit = options.limit === undefined ? defaultLimit : readCount(options.limit, "--limit", 100_000);
    const state = options.finished ? "finished" : "pending";
    const invocations: InvocationView[] = [];
    const unreadable: UnreadableInvocation[] = [];
    const onUnreadable = (each: UnreadableInvocation) => void unreadable.push(each);
    for await (const view of fleet().invocations.each({ state, onUnreadable, ...(options.function !== undefined && { function: options.function }) })) {
      if (invocations.length === limit) break;
      invocations.push(view);
    }
    for (const { invocationId, functionName } of unreadable) terminal.note(`Cannot read invocation ${invocationId} of "${inert(functionName)}": it was damaged, or written by another version`);
    if (json) terminal.print(inertJson({ invocations, ...(unreadable.length > 0 && { unreadable }) }));
    else if (invocations.length + unreadable.length === 0) terminal.note(options.finished ? "No accepted invocation has ended in the last seven days" : "No accepted invocation waits or is under way");
    else if (invocations.length > 0) terminal.print(renderTable(columnsAt(now()), invocations, terminal.style));
  },
});

function columnsAt(nowMs: number): readonly Column<InvocationView>[] {
  const about = (view: InvocationView) => ("record" in view ? view.record : view);
  return [
    { title: "ID", cell: (view) => about(view).invocationId },
    { title: "FUNCTION", cell: (view) => inert(about(view).functionName) },
    { title: "STATE", cell: (view) => ("record" in view ? view.record.result.outcome : view.cancelRequested === true ? "cancelling" : view.state) },
    { title: "ATTEMPT", cell: (view) => String(about(view).attempt ?? 1) },
    { title: "WHERE", cell: (view) => (about(view).agentId === undefined ? "-" : inert(`${about(view).siteId}/${about(view).agentId}`)) },
    { title: "AGE", cell: (view) => formatAge(about(view).acceptedAt, nowMs) },
  ];
}

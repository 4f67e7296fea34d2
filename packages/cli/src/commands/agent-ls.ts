import type { AgentView } from "@longshore/protocol";
import { agentState, paintAgentState } from "../agent-state.ts";
import { defineCommand } from "../command-line/command.ts";
import { inert, inertJson } from "../terminal/inert.ts";
import { formatAge, formatBytes } from "../terminal/quantity.ts";
import type { Style } from "../terminal/style.ts";
import { type Column, renderTable } from "../terminal/table.ts";

const columns = (nowMs: number, style: Style): readonly Column<AgentView>[] => [
  { title: "AGENT", cell: (agent) => agent.agentId },
  { title: "SITE", cell: (agent) => agent.siteId },
  { title: "STATE", cell: agentState, paint: (agent, text) => paintAgentState(agentState(agent), text, style) },
  { title: "RUNNING", cell: ({ capacity }) => String(capacity.running), align: "right" },
  { title: "IDLE", cell: ({ capacity }) => String(capacity.idle), align: "right" },
  { title: "HELD", cell: ({ capacity }) => String(capacity.held), align: "right" },
  { title: "ROOM", cell: ({ capacity }) => `${capacity.instancesFree}/${capacity.instancesMax}`, align: "right" },
  { title: "MEMORY FREE", cell: ({ capacity }) => `${formatBytes(capacity.memoryFreeBytes)}/${formatBytes(capacity.memoryBytes)}`, align: "right" },
  { title: "DISK FREE", cell: ({ capacity: { disk } }) => (disk === undefined ? "" : `${formatBytes(disk.freeBytes)}/${formatBytes(disk.totalBytes)}`), align: "right" },
  { title: "HEARD", cell: (agent) => formatAge(agent.lastHeardAt, nowMs), align: "right" },
  { title: "LABELS", cell: (agent) => formatLabels(agent) },
];

/** Operator labels; what a host says of itself (`host/…`) is left to `--json`. */
function formatLabels(agent: AgentView): string {
  return Object.entries(agent.labels).filter(([key]) => !key.startsWith("host/")).map(([key, value]) => `${key}=${value}`).join(",");
}

/** `longshore agent ls` */
export const agentLs = defineCommand({
  path: ["agent", "ls"],
  summary: "List the agents with their live capacity",
  description: "RUNNING counts invocations; IDLE and HELD count instances that wait, with and without their program begun; ROOM is how many more instances fit, of how many at most. An agent that is disk-full pulls no image and runs those that it has.",
  options: { site: { value: "SITE", summary: "Only those of one site" } },
  arguments: {},
  examples: [
    ["longshore agent ls", "Every agent"],
    ["longshore agent ls --site plant --json", "One site's agents, for a program"],
  ],
  run: async ({ options }, { fleet, terminal, json, now }) => {
    const agents = await fleet().agents.list(options.site === undefined ? {} : { site: options.site });
    if (json) return terminal.print(inertJson({ agents }));
    if (agents.length === 0) return terminal.note("No agent has joined. longshore token create --site SITE makes a token to join with");
    terminal.print(renderTable(columns(now(), terminal.style), agents, terminal.style));
    for (const agent of agents.filter(({ detail }) => detail !== undefined)) terminal.note(inert(`${agent.agentId}: ${agent.detail}`));
  },
});

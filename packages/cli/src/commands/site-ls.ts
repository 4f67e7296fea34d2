import type { SiteView } from "@longshore/protocol";
import { defineCommand } from "../command-line/command.ts";
import { inertJson } from "../terminal/inert.ts";
import { formatBytes } from "../terminal/quantity.ts";
import { type Column, renderTable } from "../terminal/table.ts";

const columns: readonly Column<SiteView>[] = [
  { title: "SITE", cell: (site) => site.siteId },
  { title: "AGENTS", cell: (site) => String(site.agents), align: "right" },
  { title: "READY", cell: (site) => String(site.ready), align: "right" },
  { title: "RUNNING", cell: (site) => String(site.running), align: "right" },
  { title: "MEMORY FREE", cell: (site) => `${formatBytes(site.memoryFreeBytes)}/${formatBytes(site.memoryBytes)}`, align: "right" },
  { title: "REGIONS", cell: (site) => site.regions.join(",") },
];

/** `longshore site ls` */
export const siteLs = defineCommand({
  path: ["site", "ls"],
  summary: "List the sites with their capacity",
  options: {},
  arguments: {},
  examples: [["longshore site ls", "Every site that an agent has joined"]],
  run: async (_input, { fleet, terminal, json }) => {
    const sites = await fleet().sites.list();
    if (json) terminal.print(inertJson({ sites }));
    else if (sites.length === 0) terminal.note("There is no site. longshore token create --site SITE makes one with its first agent");
    else terminal.print(renderTable(columns, sites, terminal.style));
  },
});

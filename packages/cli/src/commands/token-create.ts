import { defineCommand } from "../command-line/command.ts";
import { UsageError } from "../command-line/usage-error.ts";
import { readPairs } from "../function-file/pair.ts";
import { inertJson } from "../terminal/inert.ts";

/** `longshore token create` */
export const tokenCreate = defineCommand({
  path: ["token", "create"],
  summary: "Make a join token for one host: single use, 15 minutes",
  description:
    "Prints the line to run on the new host. What the token names (site, labels, regions) is bound at join: the host cannot choose them. " +
    "The host needs outbound connections only, to the broker and to the bus.",
  options: {
    site: { value: "SITE", summary: "The site that the host belongs to" },
    label: { value: "K=V", repeat: true, summary: "Label for placement rules" },
    agentId: { value: "ID", summary: "Name of the agent (default: the host's name)" },
    region: { value: "REGION", repeat: true, summary: "Regions of the site, for residency rules" },
  },
  arguments: {},
  examples: [
    ["longshore token create --site plant", "A token for a host of the site plant"],
    ["longshore token create --site plant --label gpu=true --agent-id press-3", "The same with a label and a name"],
  ],
  run: async ({ options }, { fleet, terminal, json, now }) => {
    if (options.site === undefined) throw new UsageError("Cannot create a token: --site is missing", "longshore token create --site plant");
    const answer = await fleet().tokens.create({
      site: options.site,
      labels: readPairs(options.label, "--label"),
      ...(options.agentId !== undefined && { agentId: options.agentId }),
      ...(options.region.length > 0 && { regions: options.region }),
    });
    const command = `longshore join ${answer.token}`;
    if (json) return terminal.print(inertJson({ ...answer, command }));
    terminal.print(command);
    const minutes = Math.max(1, Math.round((Date.parse(answer.expiresAt) - now()) / 60_000));
    terminal.note(terminal.errStyle.dim(`Run that on the new host within ${minutes} minutes; it joins one host to the site ${answer.siteId}.`));
  },
});

import { defineCommand } from "../command-line/command.ts";
import { partOptions, stateRequest } from "../local/settings.ts";
import { inert, inertJson } from "../terminal/inert.ts";
import { whileWorking } from "../terminal/working.ts";

const { data, config } = partOptions;

/** `longshore restore` */
export const restore = defineCommand({
  path: ["restore"],
  summary: "Make a fleet anew from a backup, while its brokers are stopped",
  description:
    "The whole file is checked before anything is touched. Into a data folder, or a cluster, that holds a fleet it restores only with --replace: what is in the folder is then set aside, what is on the cluster is removed. " +
    "Start the broker afterwards as ever. What was accepted before the backup and ended after it runs again; what was revoked after it is to be revoked again.",
  options: { data, config, replace: { summary: "Put the backup in the place of the fleet that is there" } },
  arguments: { file: { summary: "What longshore backup wrote" } },
  examples: [
    ["longshore restore /backup/fleet-2026-11-28.tar", "Into /var/lib/longshore, which is empty or new"],
    ["longshore restore --replace --data /srv/longshore fleet.tar", "In the place of what is there"],
  ],
  run: async ({ args, options }, { terminal, json, environment, loadLocalParts }) => {
    const parts = await loadLocalParts();
    const summary = await whileWorking({ terminal, json }, `Restoring from ${args.file}`, parts.restore(args.file, options.replace, stateRequest(options, environment)));
    if (json) return terminal.print(inertJson(summary));
    terminal.print(inert(`Restored ${summary.messages} messages of ${summary.streams} streams: the fleet is as it was at ${summary.createdAt}`));
    if (summary.expired > 0) terminal.note(`${summary.expired} messages were left out: their time was over`);
    if (summary.replacedFolder !== undefined) terminal.note(inert(`What stood there is in ${summary.replacedFolder}; remove it when it is no longer needed`));
    if (summary.agentsMustJoinAgain) terminal.note("This bus has other accounts than the one backed up: every host has to join again");
  },
});

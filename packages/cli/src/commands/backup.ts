import { defineCommand } from "../command-line/command.ts";
import { partOptions, stateRequest } from "../local/settings.ts";
import { inert, inertJson } from "../terminal/inert.ts";
import { formatBytes } from "../terminal/quantity.ts";
import { whileWorking } from "../terminal/working.ts";

const { data, config } = partOptions;

/** `longshore backup` */
export const backup = defineCommand({
  path: ["backup"],
  summary: "Write a fleet's state into one file, while the fleet runs",
  description:
    "Everything that the broker's bus keeps on disk, and the keys and the authority of its data folder. Nothing that was acknowledged before it began is missing. Run it on the broker's host, " +
    "as the broker's user. The file is as secret as the data folder: whoever has it has the fleet. Agents' own folders and a sealKeyFile are not in it.",
  options: { data, config },
  arguments: { file: { summary: "Where it goes; it must not be there yet" } },
  examples: [
    ["longshore backup /backup/fleet-2026-11-28.tar", "The fleet of /var/lib/longshore"],
    ["longshore backup --config /etc/longshore/longshore.yaml fleet.tar", "That of a broker with settings in a file, on a cluster too"],
  ],
  run: async ({ args, options }, { terminal, json, environment, loadLocalParts }) => {
    const { backUp } = await loadLocalParts();
    const summary = await whileWorking({ terminal, json }, `Backing up to ${args.file}`, backUp(args.file, stateRequest(options, environment)));
    if (json) return terminal.print(inertJson(summary));
    terminal.print(inert(`Backed up ${summary.messages} messages of ${summary.streams} streams to ${summary.file}, ${formatBytes(summary.sizeBytes)}`));
    terminal.note(terminal.errStyle.dim(inert(`Keep it secret: whoever has it has the fleet.${summary.sealKeyFile === undefined ? "" : ` Keep ${summary.sealKeyFile} elsewhere: functions' secrets open with it alone, and it is not in the backup.`}`)));
  },
});

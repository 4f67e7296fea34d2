import { defineCommand } from "../command-line/command.ts";
import { inert, inertJson } from "../terminal/inert.ts";
import { whileWorking } from "../terminal/working.ts";

/** `longshore rm` */
export const rm = defineCommand({
  path: ["rm"],
  summary: "Remove a function and stop its instances",
  options: {},
  arguments: { name: { summary: "The function" } },
  examples: [["longshore rm resize", "Invocations under way end; new ones are refused"]],
  run: async ({ args }, { fleet, terminal, json }) => {
    await whileWorking({ terminal, json }, `Removing ${args.name}`, fleet().remove(args.name));
    terminal.print(json ? inertJson({ removed: args.name }) : `Removed ${inert(args.name)}`);
  },
});

import { defineCommand } from "../command-line/command.ts";
import { readDrainMs } from "../local/drain-time.ts";
import { runAgent } from "../local/run-part.ts";
import { agentRequest, partOptions } from "../local/settings.ts";

const options = {
  ...partOptions,
  drain: { value: "TIME", summary: "How long what runs may take to finish at the end (default: drainMs, 30s)" },
} as const;

/** `longshore agent run` */
export const agentRun = defineCommand({
  path: ["agent", "run"],
  summary: "Run the agent of a host that has joined",
  description: "It takes over the instances that an agent before it left idle. SIGTERM or Ctrl-C drains it, a second one ends it at once.",
  options,
  arguments: {},
  examples: [["sudo longshore agent run", "As a service does it (docs/operations.md has a unit file)"]],
  run: ({ options: given }, context) => runAgent(agentRequest(given, context.environment), readDrainMs(given.drain), context),
});

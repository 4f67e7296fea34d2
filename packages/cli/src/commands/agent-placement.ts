import { type AgentView, parseDuration } from "@longshore/protocol";
import { type Command, defineCommand } from "../command-line/command.ts";
import type { Context } from "../command-line/context.ts";
import { inert, inertJson } from "../terminal/inert.ts";
import { whileWorking } from "../terminal/working.ts";

const agent = { summary: "The agent's id, as agent ls shows it" };

function show(view: AgentView, sentence: string, { terminal, json }: Context): void {
  terminal.print(json ? inertJson(view) : inert(sentence));
}

/** `longshore agent cordon` */
export const agentCordon: Command = defineCommand({
  path: ["agent", "cordon"],
  summary: "Take an agent out of placement; its work goes on",
  options: {},
  arguments: { agent },
  examples: [["longshore agent cordon plant-1", "No new invocation goes there"]],
  run: async ({ args }, context) => {
    show(await context.fleet().agents.cordon(args.agent), `Cordoned ${args.agent}: it takes no new invocations`, context);
  },
});

/** `longshore agent uncordon` */
export const agentUncordon: Command = defineCommand({
  path: ["agent", "uncordon"],
  summary: "Bring an agent back into placement",
  options: {},
  arguments: { agent },
  examples: [["longshore agent uncordon plant-1", "It takes invocations again"]],
  run: async ({ args }, context) => {
    show(await context.fleet().agents.uncordon(args.agent), `Uncordoned ${args.agent}: it takes invocations`, context);
  },
});

/** `longshore agent drain` */
export const agentDrain: Command = defineCommand({
  path: ["agent", "drain"],
  summary: "Cordon an agent, let it finish what runs, stop its instances",
  options: { deadline: { value: "TIME", summary: "How long what runs may take to finish (default 60s)" } },
  arguments: { agent },
  examples: [["longshore agent drain plant-1 --deadline 5m", "Before an upgrade of that host; agent uncordon undoes it"]],
  run: async ({ args, options }, context) => {
    const deadlineMs = options.deadline === undefined ? undefined : parseDuration(options.deadline, "--deadline");
    const view = await whileWorking(context, `Draining ${args.agent}`, context.fleet().agents.drain(args.agent, deadlineMs === undefined ? {} : { deadlineMs }));
    show(view, `Draining ${args.agent}: ${view.capacity.running} running; longshore agent ls shows when it is done`, context);
  },
});

/** `longshore agent revoke` */
export const agentRevoke: Command = defineCommand({
  path: ["agent", "revoke"],
  summary: "Take an agent's credential back, at once",
  description: "For a host that was lost or stolen. What it runs is cut off and ends as lost; the host comes back only by a new token.",
  options: {},
  arguments: { agent },
  examples: [["longshore agent revoke laptop-7", "It is off the bus within a second"]],
  run: async ({ args }, { fleet, terminal, json }) => {
    await fleet().agents.revoke(args.agent);
    terminal.print(json ? inertJson({ revoked: args.agent }) : inert(`Revoked ${args.agent}: it is off the bus`));
  },
});

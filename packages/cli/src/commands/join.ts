import { defineCommand } from "../command-line/command.ts";
import { exitCodes } from "../exit-code.ts";
import { readDrainMs } from "../local/drain-time.ts";
import { runAgent } from "../local/run-part.ts";
import { agentRequest, partOptions } from "../local/settings.ts";
import { inert, inertJson } from "../terminal/inert.ts";
import { whileWorking } from "../terminal/working.ts";

const options = {
  ...partOptions,
  drain: { value: "TIME", summary: "How long what runs may take to finish at the end (default: drainMs, 30s)" },
  joinOnly: { summary: "Join and end; longshore agent run starts the agent later" },
} as const;

/** `longshore join` */
export const join = defineCommand({
  path: ["join"],
  summary: "Join this host to a fleet by a token, then run its agent",
  description:
    "longshore token create, on the broker's side, makes the token. This host makes its own key, which never leaves it, and needs outbound connections only. " +
    "The agent runs in the foreground until Ctrl-C; a service manager should use longshore agent run.",
  options,
  arguments: { token: { summary: "What longshore token create printed: lsj_…" } },
  examples: [
    ["sudo longshore join lsj_eyJ2IjoxLCJ1cmxz…", "Join and run"],
    ["sudo longshore join --join-only lsj_eyJ2IjoxLCJ1cmxz… && sudo systemctl start longshore-agent", "Join, then leave it to a service"],
  ],
  run: async ({ args, options: given }, context) => {
    const { terminal, json, environment, loadLocalParts } = context;
    const drainMs = readDrainMs(given.drain);
    const request = agentRequest(given, environment);
    const { joinHost } = await loadLocalParts();
    const joined = await whileWorking({ terminal, json }, "Joining", joinHost(args.token, request));
    const isDone = given.joinOnly;
    if (json && isDone) terminal.print(inertJson(joined));
    if (!json) terminal.print(inert(`Joined site ${joined.siteId} as ${joined.agentId}`));
    return isDone ? exitCodes.succeeded : runAgent(request, drainMs, context);
  },
});

import { defineCommand } from "../command-line/command.ts";
import { readDrainMs } from "../local/drain-time.ts";
import { runPart } from "../local/run-part.ts";
import { brokerOptions, brokerRequest, partOptions } from "../local/settings.ts";
import { inertJson } from "../terminal/inert.ts";

const options = {
  ...brokerOptions,
  ...partOptions,
  drain: { value: "TIME", summary: "How long what runs may take to finish at the end (default: drainMs, 30s)" },
} as const;

/** `longshore broker` */
export const broker = defineCommand({
  path: ["broker"],
  summary: "Run a broker, with a NATS server of its own unless it is told of a cluster",
  description:
    "Prints one line of JSON when it takes calls: its url and, the first time in a fleet's life, an API key that is shown this once. " +
    "SIGTERM or Ctrl-C drains it, a second one ends it at once. All settings are in docs/operations.md.",
  options,
  arguments: {},
  examples: [
    ["longshore broker", "On loopback, without a key"],
    ["longshore broker --listen 0.0.0.0:4270 --tls", "For hosts elsewhere, with an authority of its own"],
    ["longshore broker --config /etc/longshore/longshore.yaml", "With settings from a file"],
  ],
  run: ({ options: given }, context) => {
    const { terminal, environment } = context;
    return runPart({
      name: "broker",
      start: (parts) => parts.startBroker(brokerRequest(given, environment)),
      tellReady: ({ url, apiKey, caFile }) => terminal.print(inertJson({ url, ...(apiKey !== undefined && { apiKey }), ...(caFile !== undefined && { caFile }) })),
      drainMs: readDrainMs(given.drain),
    }, context);
  },
});

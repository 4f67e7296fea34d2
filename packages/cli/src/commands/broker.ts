import { defineCommand } from "../command-line/command.ts";
import { exitCodes } from "../exit-code.ts";
import { brokerOptions, brokerRequest, partOptions } from "../local/settings.ts";
import { createStartedParts } from "../local/started.ts";
import { readDrainMs } from "../local/drain-time.ts";
import { createProgress } from "../terminal/progress.ts";

const options = {
  ...brokerOptions,
  ...partOptions,
  drain: { value: "TIME", summary: "How long what runs may take to finish at the end (default 30s)" },
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
  run: async ({ options: given }, { terminal, environment, interrupts, loadLocalParts }) => {
    const drainMs = readDrainMs(given.drain);
    const interrupted = interrupts.next();
    const { startBroker } = await loadLocalParts();
    // Its log tells of starting and stopping.
    const started = createStartedParts(interrupts, createProgress(terminal, true));
    const isReady = started.add("broker", () => startBroker(brokerRequest(given, environment)));
    try {
      const running = await Promise.race([isReady, interrupted]);
      if (typeof running === "string") return exitCodes.cancelled;
      const { url, apiKey, caFile } = running;
      terminal.print(JSON.stringify({ url, ...(apiKey !== undefined && { apiKey }), ...(caFile !== undefined && { caFile }) }));
      await interrupted;
      return exitCodes.succeeded;
    } finally {
      await started.stop(drainMs);
    }
  },
});

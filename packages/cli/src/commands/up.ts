import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseName, siteIdSchema } from "@longshore/protocol";
import { defineCommand } from "../command-line/command.ts";
import type { Context } from "../command-line/context.ts";
import { resolveConnection } from "../command-line/run.ts";
import { UsageError } from "../command-line/usage-error.ts";
import { type ExitCode, exitCodes } from "../exit-code.ts";
import { bringUp, type OneMachineFleet } from "../local/bring-up.ts";
import { readDrainMs } from "../local/drain-time.ts";
import { connectionVariables, consoleAddress, firstLines } from "../local/first-lines.ts";
import { brokerOptions, brokerRequest, partOptions } from "../local/settings.ts";
import { createStartedParts, type StartedParts } from "../local/started.ts";
import { inertJson } from "../terminal/inert.ts";
import { createProgress } from "../terminal/progress.ts";
import type { Terminal } from "../terminal/terminal.ts";

const options = {
  site: { value: "SITE", repeat: true, summary: "Run an agent at this site (default: plant and cloud)" },
  examples: { summary: "Build and deploy the examples hello-http and wordcount" },
  ...brokerOptions,
  ...partOptions,
  data: { value: "DIR", summary: "Folder to keep the fleet in (default: a temporary one, removed at the end)" },
  drain: { value: "TIME", summary: "How long what runs may take to finish at the end (default 10s)" },
} as const;

/** `longshore up` */
export const up = defineCommand({
  path: ["up"],
  summary: "Run a whole fleet on this machine: NATS server, broker, an agent per site",
  description: "Ctrl-C takes everything down: what runs may finish, instances and networks are removed. A second Ctrl-C does that at once.",
  options,
  arguments: {},
  examples: [
    ["longshore up --examples", "A fleet with two functions to call"],
    ["longshore up --site berlin --data ./fleet", "One site, kept for the next time"],
    ["longshore up --listen 0.0.0.0:4270 --tls", "One that other hosts can join and call; prints an API key"],
  ],
  run: async ({ options: given }, context): Promise<ExitCode> => {
    const sites = (given.site.length > 0 ? given.site : ["plant", "cloud"]).map((site) => parseName(siteIdSchema, site, "--site"));
    if (new Set(sites).size < sites.length) throw new UsageError("Cannot run two agents of one site here: a --site was given twice");
    const drainMs = readDrainMs(given.drain) ?? 10_000;
    const dataFolder = given.data ?? mkdtempSync(join(tmpdir(), "longshore-"));
    const progress = createProgress(context.terminal, context.json);
    const started = createStartedParts(context.interrupts, progress);
    const request = brokerRequest({ ...given, data: dataFolder, logLevel: given.logLevel ?? "warn" }, context.environment);
    const interrupted = context.interrupts.next();
    const isUp = bringUp({ sites, dataFolder, request, withExamples: given.examples, started, progress, context });
    try {
      const fleet = await Promise.race([isUp, interrupted]);
      progress.finish();
      if (typeof fleet === "string") return exitCodes.cancelled;
      tellReady(fleet, given.data, context);
      await interrupted;
      return exitCodes.succeeded;
    } finally {
      progress.finish();
      await takeDown(isUp, started, drainMs, given.data === undefined ? dataFolder : undefined, context);
    }
  },
});

function tellReady({ broker, agents, functions }: OneMachineFleet, keptIn: string | undefined, { terminal, environment, json }: Context): void {
  const { url, apiKey, needsKey, caFile } = broker;
  const sites = agents.map(({ siteId }) => siteId);
  if (json) return terminal.print(inertJson({ url, console: consoleAddress(broker), sites, functions: functions.map(({ name }) => name), ...(apiKey !== undefined && { apiKey }), ...(caFile !== undefined && { caFile }) }));
  const variables = connectionVariables(broker, resolveConnection({}, {}).url);
  const exported = variables.length === 0 ? [] : [`In another terminal, first${needsKey ? " (the key is shown this once)" : ""}:`, ...variables.map((line) => `  export ${line}`), ""];
  const key = apiKey === undefined || needsKey ? "" : ` Its API key, should it ever listen beyond loopback (shown this once): ${apiKey}`;
  const data = keptIn === undefined ? [] : [`Kept in ${keptIn}.${key}`];
  printAll(terminal, [
    "",
    terminal.style.bold(`Longshore is up at ${url}, sites ${sites.join(" and ")}.`),
    ...data,
    `See it in a browser, whose console asks for ${needsKey ? "the key" : "no key"} here: ${consoleAddress(broker)}`,
    "",
    ...exported,
    "Three lines to try in another terminal:",
    ...firstLines(broker, functions, environment).map((line) => `  ${line}`),
    "",
    "Ctrl-C takes everything down.",
  ]);
}

function printAll(terminal: Terminal, lines: readonly string[]): void {
  for (const line of lines) terminal.print(line);
}

async function takeDown(isUp: Promise<unknown>, started: StartedParts, drainMs: number, temporaryFolder: string | undefined, { terminal, json }: Context): Promise<void> {
  if (!json) terminal.note("\nTaking everything down; Ctrl-C again does it at once.");
  try {
    await started.stop(drainMs, createProgress(terminal, json));
    // Whatever was still being set up ends with what it was set up on.
    await isUp.catch(() => undefined);
  } finally {
    if (temporaryFolder !== undefined) rmSync(temporaryFolder, { recursive: true, force: true });
  }
  if (!json) terminal.note("Everything is down.");
}

import { existsSync, readFileSync } from "node:fs";
import { LongshoreError } from "@longshore/protocol";
import { createBroker } from "./broker.ts";
import { type BrokerConfig, resolveBrokerConfig } from "./config.ts";
import { createLog } from "./log.ts";
import { readSection } from "./settings-file.ts";

/**
 * A broker as a process of its own: settings from `LONGSHORE_BROKER_…` and the `broker` section of `longshore.yaml` (or the file that
 * `LONGSHORE_CONFIG` names). SIGTERM and SIGINT drain it; a second one ends it at once.
 */
async function main(): Promise<void> {
  const config = readConfig();
  const log = createLog(config.logLevel);
  const broker = createBroker(config, { log });
  const { url, apiKey } = await broker.start();
  // The one place that shows it; logs are kept, so it does not go there.
  process.stdout.write(`${JSON.stringify({ url, ...(apiKey !== undefined && { apiKey }) })}\n`);
  let isEnding = false;
  const end = () => {
    const ended = isEnding ? broker.close() : broker.drain(config.drainMs);
    isEnding = true;
    ended.then(
      () => process.exit(0),
      (err: unknown) => {
        log.error({ err }, "broker did not end cleanly");
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
}

function readConfig(): BrokerConfig {
  const named = process.env["LONGSHORE_CONFIG"];
  const file = named ?? "longshore.yaml";
  const section = named !== undefined || existsSync(file) ? readSection(readFileSync(file, "utf8"), file, "broker") : undefined;
  try {
    return resolveBrokerConfig({ environment: process.env, file: section?.values });
  } catch (error) {
    throw error instanceof LongshoreError && section !== undefined ? section.locate(error) : error;
  }
}

main().catch((error: unknown) => {
  const message = error instanceof LongshoreError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${message}\n`);
  process.exit(1);
});

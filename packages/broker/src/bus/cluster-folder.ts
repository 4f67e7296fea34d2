import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { LongshoreError, parseInput } from "@longshore/protocol";
import type { BusAccess } from "./access.ts";
import { type ClusterConfig, clusterConfigSchema, clusterFileName, readClusterAccess } from "./credential-files.ts";

/**
 * Reads a bus's access from a folder: `cluster.json` ({@link clusterConfigSchema}) names servers and files, the files beside it hold the credentials.
 * An embedded bus keeps such a folder for further brokers under `nats/credentials`. Throws `bad_schema` naming the setting.
 */
export function readClusterFolder(folder: string): BusAccess {
  const config = parseInput(clusterConfigSchema, readJsonFile(join(folder, clusterFileName)), "bus.cluster");
  const inFolder = Object.fromEntries(Object.entries(config).map(([key, value]) => [key, key.endsWith("File") && typeof value === "string" ? resolve(folder, value) : value]));
  return readClusterAccess(inFolder as unknown as ClusterConfig);
}

function readJsonFile(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new LongshoreError("bad_schema", `Cannot read busCredentials: ${file} is missing or no JSON`, { field: "busCredentials", cause });
  }
}

import { existsSync } from "node:fs";
import { join } from "node:path";
import { LongshoreError } from "@longshore/protocol";
import type { Logger } from "pino";
import type { BusAccess } from "../bus/access.ts";
import { readClusterFolder } from "../bus/cluster-folder.ts";
import { type KeptStreams, openKeptStreams } from "../bus/kept-streams.ts";
import type { BrokerConfig } from "../config.ts";
import { createEmbeddedServer } from "../embedded/server.ts";

/** A fleet's bus, for as long as a backup or a restore works on it. */
export interface ReachedBus {
  readonly access: BusAccess;
  readonly streams: KeptStreams;
  /** Leaves it; a server that was started for this ends. */
  close(): Promise<void>;
}

/** The cluster that the settings name. Throws `bus_down`. */
export async function reachCluster(credentialsFolder: string): Promise<ReachedBus> {
  const access = readClusterFolder(credentialsFolder);
  const streams = await openKeptStreams({ servers: access.servers, ca: access.ca, credential: access.core });
  return { access, streams, close: () => streams.close() };
}

/** Starts a server on a data folder, on a port of loopback, for this alone. Throws `bus_down` where one runs on it. */
export async function startBusOn(dataFolder: string, natsServer: string, log: Logger): Promise<ReachedBus> {
  const server = createEmbeddedServer({ dataFolder, executable: natsServer, listen: { host: "127.0.0.1", port: 0 }, log });
  const { access } = await server.start();
  try {
    const streams = await openKeptStreams({ servers: access.servers, credential: access.core });
    return { access, streams, close: () => streams.close().finally(() => server.close()) };
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** The bus that the settings name: the cluster, the embedded server as it runs, or else one that is started on its folder. */
export async function reachBus({ busCredentials, dataFolder, natsServer }: BrokerConfig, log: Logger): Promise<ReachedBus> {
  if (busCredentials !== undefined) return reachCluster(busCredentials);
  if (!existsSync(join(dataFolder, "nats", "keys.json"))) {
    throw new LongshoreError("bad_schema", `Cannot back up "${dataFolder}": no broker has kept a fleet there`, { field: "dataFolder" });
  }
  try {
    return await reachCluster(join(dataFolder, "nats", "credentials"));
  } catch (err) {
    log.debug({ err }, "the embedded bus does not answer, it is started");
    return startBusOn(dataFolder, natsServer, log);
  }
}

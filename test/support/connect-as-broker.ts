import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { clusterFileName, readClusterAccess } from "../../packages/broker/src/bus/credential-files.ts";
import { connectionOptions } from "../../packages/broker/src/bus/link.ts";

/** A connection in the brokers' own account, by the credentials that a broker left for further ones. */
export function connectAsBroker(folder: string): Promise<NatsConnection> {
  const { core, servers, ca } = readClusterAccess(JSON.parse(readFileSync(join(folder, clusterFileName), "utf8")) as Parameters<typeof readClusterAccess>[0]);
  return connect(connectionOptions({ servers, ca, credential: core }, "longshore-test"));
}

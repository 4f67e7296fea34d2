import { z } from "zod";

/** What one server of the bus says of how it stores. */
export interface ServerReport {
  readonly serverId: string;
  /** JetStream is on there: it may store, or have a say in what is stored. */
  readonly storesStreams: boolean;
  /** Each write is synced to disk before it is acknowledged; undefined: it does not say. */
  readonly syncsAlways: boolean | undefined;
  /** Servers that store together, by this one's count, those that are away included. */
  readonly clusterSize: number;
  /** The stream that was asked for, as far as this server holds it. */
  readonly stream: StreamReport | undefined;
}

export interface StreamReport {
  /** `file`, `memory` */
  readonly storage: string;
  /** `async`: the server acknowledges before it writes, whatever its own setting; nats-server leaves the default out. */
  readonly persistMode: string;
}

/** Which stream of which account a server is asked for. */
export interface StreamName {
  readonly accountKey: string;
  readonly stream: string;
}

const streamSchema = z.object({ name: z.string(), config: z.object({ storage: z.string(), persist_mode: z.string().default("default") }).optional() });

/** The parts of nats-server's JSZ document that are read here (`sync_always` is left out where it is false; tried with 2.15.1). */
const documentSchema = z.object({
  server_id: z.string().min(1),
  disabled: z.boolean().default(false),
  config: z.object({ sync_interval: z.number().optional(), sync_always: z.boolean().optional(), domain: z.string().optional() }),
  meta_cluster: z.object({ cluster_size: z.number().int().min(1) }).optional(),
  account_details: z.array(z.object({ id: z.string(), stream_detail: z.array(streamSchema).default([]) })).default([]),
});

/** Reads a server's JSZ document (`/jsz?config=true&streams=true&acc=…`, or the answer to `$SYS.REQ.SERVER.PING.JSZ`); throws a ZodError when it is none. */
export function readServerReport(document: unknown, { accountKey, stream }: StreamName): ServerReport {
  const { server_id: serverId, disabled, config, meta_cluster: metaCluster, account_details: accounts } = documentSchema.parse(document);
  const found = accounts.find(({ id }) => id === accountKey)?.stream_detail.find(({ name }) => name === stream)?.config;
  return {
    serverId,
    storesStreams: !disabled,
    // A document without the interval is of a server that tells neither.
    syncsAlways: config.sync_always ?? (config.sync_interval === undefined ? undefined : false),
    clusterSize: metaCluster?.cluster_size ?? 1,
    stream: found && { storage: found.storage, persistMode: found.persist_mode },
  };
}

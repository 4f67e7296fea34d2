import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { z } from "zod";
import { attempt } from "./bus-error.ts";
import { fillStream } from "./fill-stream.ts";
import { connectionOptions, type LinkTarget } from "./link.ts";
import { hasBrokers } from "./questions.ts";
import { readStream, type TakeMessages } from "./read-stream.ts";
import type { RestoredMessage, StreamSettings } from "./stored-message.ts";
import { askJetStream } from "./stream-api.ts";

/** A stream's configuration as the server tells it; the name is of ours or of a bucket's, and makes a subject. */
export const streamSettingsSchema: z.ZodType<StreamSettings> = z.looseObject({
  name: z.string().regex(/^[A-Za-z0-9_-]{1,200}$/, "must be a stream's name"),
  max_msgs_per_subject: z.number().optional(),
  max_age: z.number().optional(),
  allow_atomic: z.boolean().optional(),
});
const listSchema = z.object({ total: z.number(), streams: z.array(z.object({ config: streamSettingsSchema })).nullish() });
const infoSchema = z.object({ state: z.object({ messages: z.number() }) });

/** The streams that the brokers' account keeps on disk, buckets among them, whatever they are for. One connection; it is not made again. All throw `bus_down`. */
export interface KeptStreams {
  list(): Promise<readonly StreamSettings[]>;
  /** All that stands in a stream at the moment when it resolves, and what stood meanwhile. */
  read(name: string, take: TakeMessages): Promise<void>;
  /** Makes a stream with these settings, but for its copies and places, and fills it; how many messages. */
  restore(settings: StreamSettings, replicas: number, messages: AsyncIterable<RestoredMessage>): Promise<number>;
  /** How many messages it has. */
  count(name: string): Promise<number>;
  remove(name: string): Promise<void>;
  /** True while a broker is connected to this bus. */
  hasBrokers(): Promise<boolean>;
  close(): Promise<void>;
}

/** Connects to the brokers' account. Throws `bus_down` where nobody listens, or refuses us. */
export async function openKeptStreams(target: LinkTarget): Promise<KeptStreams> {
  const connection = await attempt(`connect to the bus at ${target.servers.join(", ")}`, () => connect(connectionOptions(target, "longshore-backup")));
  return {
    list: () => list(connection),
    read: (name, take) => readStream(connection, name, take),
    restore: async (settings, replicas, messages) => {
      await askJetStream(connection, `make stream "${settings.name}"`, `STREAM.CREATE.${settings.name}`, asMadeAnew(settings, replicas), z.unknown());
      return fillStream(connection, settings, messages);
    },
    count: async (name) => (await askJetStream(connection, `look at stream "${name}"`, `STREAM.INFO.${name}`, {}, infoSchema)).state.messages,
    remove: async (name) => {
      await askJetStream(connection, `remove stream "${name}"`, `STREAM.DELETE.${name}`, {}, z.unknown());
    },
    hasBrokers: () => hasBrokers(connection),
    close: () => connection.close(),
  };
}

async function list(connection: NatsConnection): Promise<StreamSettings[]> {
  const found: StreamSettings[] = [];
  for (let isWhole = false, offset = 0; !isWhole; ) {
    const { total, streams } = await askJetStream(connection, "list the streams", "STREAM.LIST", { offset }, listSchema);
    const page = streams ?? [];
    found.push(...page.map(({ config }) => config));
    offset += page.length;
    isWhole = page.length === 0 || offset >= total;
  }
  return found.filter(({ storage }) => storage === "file");
}

/** Without what belongs to the servers that it came from. */
function asMadeAnew({ placement: _placement, metadata, ...settings }: StreamSettings, replicas: number): StreamSettings {
  const own = Object.entries((metadata ?? {}) as Record<string, unknown>).filter(([key]) => !key.startsWith("_nats."));
  return { ...settings, num_replicas: replicas, ...(own.length > 0 && { metadata: Object.fromEntries(own) }) };
}

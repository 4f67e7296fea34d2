import { type JetStreamClient, jetstream, type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import type { KV } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/nats-core";

/** JetStream on one connection. A new connection begins with a new session: nothing is carried over but what callers hold. */
export interface Session {
  readonly connection: NatsConnection;
  readonly jetStream: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly buckets: Map<string, Promise<KV>>;
}

/** Rejects when JetStream does not answer on it. */
export async function openSession(connection: NatsConnection): Promise<Session> {
  const manager = await jetstreamManager(connection);
  return { connection, jetStream: jetstream(connection), manager, buckets: new Map() };
}

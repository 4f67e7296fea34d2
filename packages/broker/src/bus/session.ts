import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import type { KV } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/nats-core";

/** JetStream on one connection. A new connection begins with a new session: nothing is carried over but what callers hold. */
export interface Session {
  readonly connection: NatsConnection;
  readonly jetStream: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly buckets: Map<string, Promise<KV>>;
}

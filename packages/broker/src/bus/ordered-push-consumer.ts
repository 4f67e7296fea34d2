import type { OrderedPushConsumerOptions, PushConsumer } from "@nats-io/jetstream";
import type { Session } from "./session.ts";

/**
 * A consumer that is made anew whenever a message is missing or its server is gone. Its state is kept in the server's memory: the client asks for
 * that with pull consumers alone, and a server that syncs always writes the state of every one on disk at each message that is removed.
 */
export function orderedPushConsumer({ jetStream }: Pick<Session, "jetStream">, stream: string, options: Partial<OrderedPushConsumerOptions>): Promise<PushConsumer> {
  const inMemory: Partial<OrderedPushConsumerOptions> & { readonly mem_storage: true } = { ...options, mem_storage: true };
  return jetStream.consumers.getPushConsumer(stream, inMemory);
}

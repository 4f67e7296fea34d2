import { setTimeout as delay } from "node:timers/promises";
import { DeliverPolicy, type JsMsg } from "@nats-io/jetstream";
import type { Logger } from "pino";
import type { QueueFollower } from "./queue-store.ts";
import { entriesOf, parseQueueSubject, queueStreamName } from "./queue-subjects.ts";
import { readTerms } from "./queue-terms.ts";
import type { Session } from "./session.ts";

const retryMs = 500;

/** Follows the entries of a partition over any number of connections, by their headers alone. */
export class QueueFollow {
  readonly ready: Promise<void>;
  readonly #partition: number;
  readonly #follower: QueueFollower;
  readonly #log: Logger;
  #becomeReady!: () => void;
  #following = new AbortController();

  constructor(partition: number, follower: QueueFollower, log: Logger) {
    this.#partition = partition;
    this.#follower = follower;
    this.#log = log;
    this.ready = new Promise((resolve) => (this.#becomeReady = resolve));
  }

  connectionChanged(session: Session | undefined): void {
    this.close();
    this.#following = new AbortController();
    if (session !== undefined) void this.#follow(session, this.#following.signal);
  }

  close(): void {
    this.#following.abort();
  }

  async #follow(session: Session, signal: AbortSignal): Promise<void> {
    const isClosed = () => signal.aborted;
    while (!isClosed()) {
      try {
        await this.#subscribe(session, signal);
        return;
      } catch (err) {
        if (!isClosed()) this.#log.warn({ err, partition: this.#partition }, "queue cannot be followed yet");
        await delay(retryMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #subscribe(session: Session, signal: AbortSignal): Promise<void> {
    this.#follower.restarted();
    const consumer = await session.jetStream.consumers.getPushConsumer(queueStreamName, { deliver_policy: DeliverPolicy.All, filter_subjects: entriesOf(this.#partition), headers_only: true });
    const { num_pending: pending } = await consumer.info(true);
    const messages = await consumer.consume({
      callback: (message) => {
        if (signal.aborted) return;
        this.#take(message);
        if (message.info.pending === 0) this.#becomeReady();
      },
    });
    if (signal.aborted) messages.stop();
    else signal.addEventListener("abort", () => messages.stop(), { once: true });
    if (pending === 0) this.#becomeReady();
  }

  #take(message: JsMsg): void {
    const key = parseQueueSubject(message.subject);
    if (key === undefined) return;
    const { tenantId, functionName, invocationId } = key;
    this.#follower.queued({ tenantId, functionName, invocationId, ...readTerms(message.headers), sequence: message.seq });
  }
}

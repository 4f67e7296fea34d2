import { DeliverPolicy, type JsMsg } from "@nats-io/jetstream";
import type { Logger } from "pino";
import { orderedPushConsumer } from "./ordered-push-consumer.ts";
import type { QueueFollower } from "./queue-store.ts";
import { entriesOf, parseQueueSubject, queueStreamName } from "./queue-subjects.ts";
import { readTerms } from "./queue-terms.ts";
import type { Session } from "./session.ts";
import { StandingSubscription } from "./standing-subscription.ts";

/** Follows the entries of a partition over any number of connections, by their headers alone. */
export class QueueFollow {
  readonly ready: Promise<void>;
  readonly #partition: number | "all";
  readonly #follower: QueueFollower;
  readonly #subscription: StandingSubscription;
  #becomeReady!: () => void;

  constructor(partition: number | "all", follower: QueueFollower, log: Logger) {
    this.#partition = partition;
    this.#follower = follower;
    this.ready = new Promise((resolve) => (this.#becomeReady = resolve));
    this.#subscription = new StandingSubscription(
      (session, signal) => this.#subscribe(session, signal),
      (err) => log.warn({ err, partition }, "queue cannot be followed yet"),
    );
  }

  connectionChanged(session: Session | undefined): void {
    this.#subscription.connectionChanged(session);
  }

  close(): void {
    this.#subscription.close();
  }

  async #subscribe(session: Session, signal: AbortSignal): Promise<void> {
    this.#follower.restarted();
    const consumer = await orderedPushConsumer(session, queueStreamName, { deliver_policy: DeliverPolicy.All, filter_subjects: entriesOf(this.#partition), headers_only: true });
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

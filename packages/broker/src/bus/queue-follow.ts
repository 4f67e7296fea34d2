import { DeliverPolicy, type JsMsg } from "@nats-io/jetstream";
import type { Logger } from "pino";
import { orderedPushConsumer } from "./ordered-push-consumer.ts";
import type { QueueFollower } from "./queue-store.ts";
import { entriesOf, parseQueueSubject, queueStreamName } from "./queue-subjects.ts";
import { readTerms } from "./queue-terms.ts";
import type { Endings } from "./recent-endings.ts";
import type { Session } from "./session.ts";
import { StandingSubscription } from "./standing-subscription.ts";

export interface QueueFollowOptions {
  readonly partition: number | "all";
  readonly follower: QueueFollower;
  /** Which invocations had their records shortly before. */
  readonly endings: (session: Session) => Promise<Endings>;
  /** An entry stands though its invocation has its record. */
  readonly ghost: (sequence: number) => void;
  readonly log: Logger;
}

/** Follows the entries of a partition over any number of connections, by their headers alone; those that a server brought back after their end are left out. */
export class QueueFollow {
  readonly ready: Promise<void>;
  readonly #options: QueueFollowOptions;
  readonly #subscription: StandingSubscription;
  #becomeReady!: () => void;

  constructor(options: QueueFollowOptions) {
    const { partition, log } = options;
    this.#options = options;
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
    const { partition, follower } = this.#options;
    follower.restarted();
    const endings = await this.#options.endings(session);
    const consumer = await orderedPushConsumer(session, queueStreamName, { deliver_policy: DeliverPolicy.All, filter_subjects: entriesOf(partition), headers_only: true });
    const { num_pending: pending } = await consumer.info(true);
    const messages = await consumer.consume({
      callback: (message) => {
        if (signal.aborted) return;
        this.#take(message, endings);
        if (message.info.pending === 0) this.#becomeReady();
      },
    });
    if (signal.aborted) messages.stop();
    else signal.addEventListener("abort", () => messages.stop(), { once: true });
    if (pending === 0) this.#becomeReady();
  }

  #take(message: JsMsg, endings: Endings): void {
    const key = parseQueueSubject(message.subject);
    if (key === undefined) return;
    const { tenantId, functionName, invocationId } = key;
    const endedAt = endings.get(`${tenantId}.${invocationId}`);
    if (endedAt !== undefined && endedAt > message.seq) return this.#options.ghost(message.seq);
    this.#options.follower.queued({ tenantId, functionName, invocationId, ...readTerms(message.headers), sequence: message.seq });
  }
}

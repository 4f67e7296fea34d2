import { DeliverPolicy, type JsMsg } from "@nats-io/jetstream";
import type { Logger } from "pino";
import { recordsAmong } from "./ended-entries.ts";
import { orderedPushConsumer } from "./ordered-push-consumer.ts";
import type { QueueEntry, QueueFollower } from "./queue-store.ts";
import { entriesOf, parseQueueSubject, queueStreamName, queueSubject } from "./queue-subjects.ts";
import { readTerms } from "./queue-terms.ts";
import type { Session } from "./session.ts";
import { StandingSubscription } from "./standing-subscription.ts";

export interface QueueFollowOptions {
  readonly partition: number | "all";
  readonly follower: QueueFollower;
  /** An entry stands though its invocation has its record. */
  readonly ghost: (entry: QueueEntry) => void;
  readonly log: Logger;
}

/** Entries whose records are looked for at a time. */
const checkedAtOnce = 256;

/**
 * Follows the entries of a partition over any number of connections, by their headers alone.
 *
 * Invariants: F1 the follower is told in the order of the stream. F2 of what stands on a server that was started since, those that have their record
 * are left out: nats-server 2.15 writes that a message went, but not that it was replaced by a later one on its subject, so that one that was
 * killed lets an entry stand again as it was before its last claim, however long ago.
 */
export class QueueFollow {
  readonly ready: Promise<void>;
  readonly #options: QueueFollowOptions;
  readonly #subscription: StandingSubscription;
  #checkedServerId: string | undefined;
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
    const consumer = await orderedPushConsumer(session, queueStreamName, { deliver_policy: DeliverPolicy.All, filter_subjects: entriesOf(partition), headers_only: true });
    const { num_pending: pending } = await consumer.info(true);
    const isChecking = partition !== "all" && this.#checkedServerId !== session.connection.info?.server_id; // Who follows all only counts.
    const pass = new Pass(this.#options, session, signal, isChecking);
    const isStanding = () => {
      this.#checkedServerId = session.connection.info?.server_id;
      this.#becomeReady();
    };
    const messages = await consumer.consume({
      callback: (message) => {
        if (signal.aborted) return;
        pass.take(message);
        if (message.info.pending === 0) pass.over(isStanding);
      },
    });
    if (signal.aborted) messages.stop();
    else signal.addEventListener("abort", () => messages.stop(), { once: true });
    if (pending === 0) pass.over(isStanding);
  }
}

/** What comes on one connection: first all that stands, then what is new. */
class Pass {
  readonly #options: QueueFollowOptions;
  readonly #session: Session;
  readonly #signal: AbortSignal;
  /** What came is to be looked at before it is told. */
  #isChecking: boolean;
  #unchecked: QueueEntry[] = [];
  /** Resolves once all that came before is told; undefined: it is. */
  #checked: Promise<void> | undefined;

  constructor(options: QueueFollowOptions, session: Session, signal: AbortSignal, isChecking: boolean) {
    this.#options = options;
    this.#session = session;
    this.#signal = signal;
    this.#isChecking = isChecking;
  }

  take({ subject, headers, seq: sequence }: JsMsg): void {
    const key = parseQueueSubject(subject);
    if (key === undefined) return;
    const { tenantId, functionName, invocationId } = key;
    const entry = { tenantId, functionName, invocationId, ...readTerms(headers), sequence };
    if (!this.#isChecking && this.#checked === undefined) return this.#options.follower.queued(entry);
    this.#unchecked.push(entry);
    if (!this.#isChecking || this.#unchecked.length >= checkedAtOnce) this.#passOn();
  }

  /** All that stood has come; `told` is called once the follower knows. */
  over(told: () => void): void {
    if (this.#unchecked.length > 0) this.#passOn();
    this.#isChecking = false;
    if (this.#checked === undefined) return told();
    const last = this.#checked.then(() => {
      if (this.#checked === last) this.#checked = undefined;
      if (!this.#signal.aborted) told();
    });
    this.#checked = last;
  }

  #passOn(): void {
    const entries = this.#unchecked;
    const isChecked = this.#isChecking;
    this.#unchecked = [];
    const before = this.#checked ?? Promise.resolve();
    const last: Promise<void> = before.then(async () => {
      const ended = isChecked ? await this.#recordsAmong(entries) : none;
      if (!this.#signal.aborted) this.#tell(entries, ended); // F1
      if (this.#checked === last) this.#checked = undefined;
    });
    this.#checked = last;
  }

  #tell(entries: readonly QueueEntry[], ended: ReadonlySet<string>): void {
    for (const entry of entries) {
      if (ended.has(queueSubject("record", entry))) this.#options.ghost(entry); // F2
      else this.#options.follower.queued(entry);
    }
  }

  /** Where that cannot be told they are followed: none that has its record can be claimed. */
  async #recordsAmong(entries: readonly QueueEntry[]): Promise<ReadonlySet<string>> {
    try {
      return await recordsAmong(this.#session.connection, entries);
    } catch (err) {
      if (!this.#signal.aborted) this.#options.log.warn({ err }, "records of what is queued not looked for");
      return none;
    }
  }
}

const none: ReadonlySet<string> = new Set();

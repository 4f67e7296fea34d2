import { DeliverPolicy, type JsMsg } from "@nats-io/jetstream";
import type { Logger } from "pino";
import type { RecordsLook } from "./ended-entries.ts";
import { orderedPushConsumer } from "./ordered-push-consumer.ts";
import type { QueueEntry, QueueFollower, QueueKey } from "./queue-store.ts";
import { entriesOf, parseQueueSubject, queueStreamName, queueSubject } from "./queue-subjects.ts";
import { readTerms } from "./queue-terms.ts";
import type { Session } from "./session.ts";
import { StandingSubscription } from "./standing-subscription.ts";
import { ToldEntries } from "./told-entries.ts";

export interface QueueFollowOptions {
  readonly partition: number | "all";
  readonly follower: QueueFollower;
  readonly look: Pick<RecordsLook, "among">;
  /** An entry stands though its invocation has its record. */
  readonly ghost: (entry: QueueEntry) => void;
  readonly log: Logger;
}

/** Entries whose records are looked for at a time. */
const checkedAtOnce = 256;

/**
 * Follows the entries of a partition over any number of connections, by their headers alone.
 *
 * Invariants: F1 the follower is told of nothing that is older than what it was told of the same invocation before. F2 of what stands on a server
 * that was started since, those that have their record are left out: nats-server 2.15 writes that a message went, but not that it was replaced by
 * a later one on its subject, so that one that was killed lets an entry stand again as it was before its last claim, however long ago. F3 what
 * the follower knew to stand before is told again at once: it does not wait for questions about others.
 */
export class QueueFollow {
  readonly ready: Promise<void>;
  readonly #options: QueueFollowOptions;
  readonly #subscription: StandingSubscription;
  #checkedServerId: string | undefined;
  /** Of the last pass that came to its end, and of the one under way. */
  #before: ToldEntries | undefined;
  #told = new ToldEntries();
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

  /** An invocation has its record. */
  ended(invocation: Pick<QueueKey, "tenantId" | "invocationId">): void {
    this.#before?.ended(invocation);
    this.#told.ended(invocation);
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
    const told = (this.#told = new ToldEntries());
    const pass = new Pass({ ...this.#options, session, signal, told, isDoubtful: (entry) => isChecking && this.#before?.isDoubtful(entry) !== false });
    const over = async () => {
      this.#before = told;
      await pass.checked();
      if (signal.aborted) return;
      this.#checkedServerId = session.connection.info?.server_id;
      this.#becomeReady();
    };
    const messages = await consumer.consume({
      callback: (message) => {
        if (signal.aborted) return;
        pass.take(message);
        if (message.info.pending === 0 && !pass.isOver) void over();
      },
    });
    if (signal.aborted) messages.stop();
    else signal.addEventListener("abort", () => messages.stop(), { once: true });
    if (pending === 0 && !pass.isOver) void over();
  }
}

interface PassOptions extends QueueFollowOptions {
  readonly session: Session;
  readonly signal: AbortSignal;
  readonly told: ToldEntries;
  /** Its record is to be looked for before it is told. */
  readonly isDoubtful: (entry: QueueEntry) => boolean;
}

/** What comes on one connection: first all that stands, then what is new. */
class Pass {
  readonly #options: PassOptions;
  #doubtful: QueueEntry[] = [];
  #checking: Promise<void> = Promise.resolve();
  /** All that stood has come. */
  isOver = false;

  constructor(options: PassOptions) {
    this.#options = options;
  }

  take({ subject, headers, seq: sequence }: JsMsg): void {
    const key = parseQueueSubject(subject);
    if (key === undefined) return;
    const { tenantId, functionName, invocationId } = key;
    const entry = { tenantId, functionName, invocationId, ...readTerms(headers), sequence };
    if (this.isOver || !this.#options.isDoubtful(entry)) return this.#tell(entry); // F3
    this.#doubtful.push(entry);
    if (this.#doubtful.length >= checkedAtOnce) this.#check();
  }

  /** To be called when all that stood has come; resolves once all of it is told, or known to have ended. */
  checked(): Promise<void> {
    this.isOver = true;
    this.#check();
    return this.#checking;
  }

  #check(): void {
    const entries = this.#doubtful;
    if (entries.length === 0) return;
    this.#doubtful = [];
    this.#checking = Promise.all([this.#checking, this.#tellStanding(entries)]).then(() => undefined);
  }

  async #tellStanding(entries: readonly QueueEntry[]): Promise<void> {
    const ended = await this.#ended(entries);
    if (this.#options.signal.aborted) return;
    for (const entry of entries) {
      if (ended.has(queueSubject("record", entry))) this.#options.ghost(entry); // F2
      else if (!this.#options.told.hasLater(entry)) this.#tell(entry); // F1
    }
  }

  #tell(entry: QueueEntry): void {
    this.#options.told.add(entry);
    this.#options.follower.queued(entry);
  }

  /** Where that cannot be told they are followed: none that has its record can be claimed. */
  async #ended(entries: readonly QueueEntry[]): Promise<ReadonlySet<string>> {
    const { look, session, signal, log } = this.#options;
    try {
      return await look.among(session.connection, entries, signal);
    } catch (err) {
      if (!signal.aborted) log.warn({ err }, "records of what is queued not looked for");
      return none;
    }
  }
}

const none: ReadonlySet<string> = new Set();

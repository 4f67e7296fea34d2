import { DeliverPolicy, type JsMsg, type OrderedPushConsumerOptions } from "@nats-io/jetstream";
import type { Logger } from "pino";
import type { Entry } from "./bus.ts";
import type { Session } from "./session.ts";
import { StandingSubscription } from "./standing-subscription.ts";

interface Subscription {
  /** How many messages the first pass has. */
  readonly pending: number;
  close(): void;
}

interface WatchOptions {
  readonly bucket: string;
  readonly log: Logger;
  readonly handler: (entry: Entry) => void;
  readonly subscribe: (session: Session, config: Partial<OrderedPushConsumerOptions>, callback: (message: JsMsg) => void) => Promise<Subscription>;
}

export interface Watch {
  /** Resolves when every entry that stood at the beginning has been handed over. */
  readonly ready: Promise<void>;
  connectionChanged(session: Session | undefined): void;
  close(): void;
}

/**
 * Follows a bucket over any number of connections.
 *
 * Each connection begins with a pass over everything that stands; the handler hears only what differs from what it was told, and of
 * every entry that is gone (deleted, expired or wiped) while nobody watched. So no change is missed, though some may be skipped over.
 */
export function createWatch(options: WatchOptions): Watch {
  return new BucketWatch(options);
}

/** JetStream's own headers of an entry that is no more. */
const operationHeader = "KV-Operation";
const markerHeader = "Nats-Marker-Reason";

class BucketWatch implements Watch {
  readonly ready: Promise<void>;
  readonly #options: WatchOptions;
  readonly #prefix: string;
  /** Revision of each entry as the handler knows it. */
  readonly #known = new Map<string, number>();
  readonly #subscription: StandingSubscription;
  #becomeReady!: () => void;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#prefix = `$KV.${options.bucket}.`;
    this.ready = new Promise((resolve) => (this.#becomeReady = resolve));
    this.#subscription = new StandingSubscription(
      (session, signal) => this.#subscribe(session, signal),
      (err) => options.log.warn({ err, bucket: options.bucket }, "bucket cannot be watched yet"),
    );
  }

  connectionChanged(session: Session | undefined): void {
    this.#subscription.connectionChanged(session);
  }

  close(): void {
    this.#subscription.close();
  }

  async #subscribe(session: Session, signal: AbortSignal): Promise<void> {
    const pass = new Set<string>();
    let isFirstPass = true;
    const finishPass = () => {
      isFirstPass = false;
      this.#tellVanished(pass);
      this.#becomeReady();
    };
    const subscription = await this.#options.subscribe(session, { deliver_policy: DeliverPolicy.LastPerSubject, filter_subjects: `${this.#prefix}>` }, (message) => {
      if (signal.aborted) return;
      const entry = this.#read(message);
      if (isFirstPass) pass.add(entry.key);
      this.#tell(entry);
      if (isFirstPass && message.info.pending === 0) finishPass();
    });
    if (signal.aborted) subscription.close();
    else signal.addEventListener("abort", () => subscription.close(), { once: true });
    if (subscription.pending === 0) finishPass();
  }

  #read(message: JsMsg): Entry {
    const headers = message.headers;
    const deleted = headers !== undefined && (headers.has(markerHeader) || ["DEL", "PURGE"].includes(headers.get(operationHeader)));
    return { key: message.subject.slice(this.#prefix.length), value: message.data, revision: message.seq, deleted };
  }

  #tell(entry: Entry): void {
    const known = this.#known.get(entry.key);
    if (known === entry.revision || (known === undefined && entry.deleted)) return;
    if (entry.deleted) this.#known.delete(entry.key);
    else this.#known.set(entry.key, entry.revision);
    try {
      this.#options.handler(entry);
    } catch (err) {
      this.#options.log.error({ err, bucket: this.#options.bucket, key: entry.key }, "entry could not be taken in");
    }
  }

  #tellVanished(pass: ReadonlySet<string>): void {
    for (const [key, revision] of [...this.#known]) {
      if (!pass.has(key)) this.#tell({ key, value: new Uint8Array(0), revision: revision + 1, deleted: true });
    }
  }
}

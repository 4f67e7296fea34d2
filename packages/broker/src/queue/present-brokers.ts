import type { Logger } from "pino";
import type { Bucket, Store } from "../bus/bus.ts";
import type { Clock } from "../clock.ts";

export interface PresentBrokersOptions {
  readonly brokerId: string;
  readonly store: Pick<Store, "bucket">;
  readonly clock: Clock;
  readonly log: Logger;
  /** What this one says of itself, a JSON document. */
  readonly state: () => unknown;
  /** A broker came or went. */
  readonly changed: () => void;
}

/** How often a broker says that it is there, and after how long without a word it is taken for gone. */
const sayEveryMs = 1_000;
const goneAfterMs = 3_000;
const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];

/**
 * The brokers that are there, each by its own word in a bucket that is kept in memory. Every broker counts the silence of the others by
 * its own clock. Two may disagree for a moment; nothing depends on their agreeing but that work is not tried for twice.
 */
export class PresentBrokers {
  readonly #options: PresentBrokersOptions;
  readonly #heardMs = new Map<string, number>();
  readonly #states = new Map<string, unknown>();
  #bucket: Bucket | undefined;
  #watch: { close(): void } | undefined;
  #cancelNext: () => void = () => undefined;
  #isClosed = false;

  constructor(options: PresentBrokersOptions) {
    this.#options = options;
  }

  /** This one among them, always. */
  get ids(): readonly string[] {
    return [this.#options.brokerId, ...this.#heardMs.keys()];
  }

  /** What each of {@link ids} said of itself last; undefined where that cannot be read. */
  get states(): ReadonlyMap<string, unknown> {
    const { brokerId, state } = this.#options;
    return new Map(this.ids.map((id) => [id, id === brokerId ? state() : this.#states.get(id)]));
  }

  /** Says that this broker is there, and learns of the others; resolves once it knows those that were there before it. */
  async start(): Promise<void> {
    const { store, brokerId } = this.#options;
    this.#bucket = await store.bucket("brokers", { history: 1, ttlMs: 60_000, storage: "memory" });
    this.#watch = await this.#bucket.watch(({ key, value, deleted }) => {
      if (key === brokerId) return;
      this.#states.set(key, readJson(value));
      this.#heard(key, deleted);
    });
    this.#tick();
  }

  /** Says that this broker is gone. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelNext();
    this.#watch?.close();
    await this.#bucket?.delete(this.#options.brokerId).catch(() => undefined); // Its silence says the same, later.
  }

  #tick(): void {
    const { clock, brokerId, state, log } = this.#options;
    this.#bucket?.put(brokerId, encoder.encode(JSON.stringify(state()))).catch((err: unknown) => log.debug({ err }, "presence not told"));
    for (const [other, heardMs] of this.#heardMs) if (clock.nowMs() - heardMs >= goneAfterMs) this.#heard(other, true);
    this.#cancelNext = clock.after(sayEveryMs, () => this.#tick());
  }

  #heard(other: string, isGone: boolean): void {
    const wasThere = this.#heardMs.has(other);
    if (isGone) this.#states.delete(other);
    if (isGone) this.#heardMs.delete(other);
    else this.#heardMs.set(other, this.#options.clock.nowMs());
    if (wasThere === isGone) this.#options.changed();
  }
}

function readJson(value: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(value)) as unknown;
  } catch {
    return undefined;
  }
}

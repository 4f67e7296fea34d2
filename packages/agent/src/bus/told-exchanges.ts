import type { BrokerId } from "@longshore/protocol";

/** An exchange whose broker has heard the outcome. */
export interface ToldExchange {
  readonly brokerId: BrokerId;
  /** What keeping it costs. */
  readonly heldBytes: number;
  /** Sends its broker an empty message; `answered` is called once the server has said whether anybody listened. */
  probe(answered: () => void): void;
  forget(): void;
}

/** A broker writes its records a moment after its replies; this is several times that. */
const generationMs = 500;
/** What is kept for brokers that may have died, in all; beyond that the oldest go first. */
const maxHeldBytes = 16 * 1024 * 1024;

/** Those of one broker: the older ones have been kept for a whole generation. */
interface OfBroker<Exchange> {
  older: Exchange[];
  newer: Exchange[];
  timer: NodeJS.Timeout | undefined;
}

/**
 * Exchanges that are kept a little longer than their answers took: a broker that dies between an answer and its record leaves no record,
 * and somebody else must be told.
 *
 * Invariants: T1 an exchange is kept for one generation at least, and until its broker was there after that, or is known to be gone. T2 a broker
 * is asked once a generation, however many are kept, and not at all when nothing is. T3 what is kept is bounded.
 */
export class ToldExchanges<Exchange extends ToldExchange> {
  readonly #brokers = new Map<BrokerId, OfBroker<Exchange>>();
  #heldBytes = 0;

  /** Its broker has heard the outcome just now. */
  keep(exchange: Exchange): void {
    const kept = this.#brokers.get(exchange.brokerId) ?? this.#begin(exchange.brokerId);
    kept.newer.push(exchange);
    this.#heldBytes += exchange.heldBytes;
    kept.timer ??= this.#askLater(kept);
    if (this.#heldBytes > maxHeldBytes) for (const broker of this.#brokers.values()) this.#turn(broker); // T3
  }

  /** Those of a broker that is gone, which are not kept any more. */
  take(brokerId: BrokerId): Exchange[] {
    const kept = this.#brokers.get(brokerId);
    if (kept === undefined) return [];
    this.#brokers.delete(brokerId);
    clearTimeout(kept.timer);
    const taken = [...kept.older, ...kept.newer];
    for (const { heldBytes } of taken) this.#heldBytes -= heldBytes;
    return taken;
  }

  close(): void {
    for (const { timer } of this.#brokers.values()) clearTimeout(timer);
    this.#brokers.clear();
  }

  #begin(brokerId: BrokerId): OfBroker<Exchange> {
    const kept: OfBroker<Exchange> = { older: [], newer: [], timer: undefined };
    this.#brokers.set(brokerId, kept);
    return kept;
  }

  #askLater(kept: OfBroker<Exchange>): NodeJS.Timeout {
    return setTimeout(() => {
      const asked = kept.newer.at(-1) ?? kept.older.at(-1);
      if (asked === undefined) kept.timer = undefined;
      else asked.probe(() => this.#answered(asked.brokerId, kept));
    }, generationMs);
  }

  #answered(brokerId: BrokerId, kept: OfBroker<Exchange>): void {
    if (this.#brokers.get(brokerId) !== kept) return; // They were taken.
    this.#turn(kept); // T1
    kept.timer = kept.older.length + kept.newer.length > 0 ? this.#askLater(kept) : undefined; // T2
    if (kept.timer === undefined) this.#brokers.delete(brokerId);
  }

  #turn(kept: OfBroker<Exchange>): void {
    for (const exchange of kept.older) {
      this.#heldBytes -= exchange.heldBytes;
      exchange.forget();
    }
    kept.older = kept.newer;
    kept.newer = [];
  }
}

import { setTimeout as delay } from "node:timers/promises";
import type { Session } from "./session.ts";

const retryMs = 500;

/** Something that is followed over any number of connections: subscribed anew on each, tried again until it stands. */
export class StandingSubscription {
  readonly #subscribe: (session: Session, signal: AbortSignal) => Promise<void>;
  readonly #failed: (error: unknown) => void;
  #following = new AbortController();

  /** `subscribe` ends what it began once its signal is aborted; `failed` hears of each try that did not succeed. */
  constructor(subscribe: (session: Session, signal: AbortSignal) => Promise<void>, failed: (error: unknown) => void) {
    this.#subscribe = subscribe;
    this.#failed = failed;
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
      } catch (error) {
        if (!isClosed()) this.#failed(error);
        await delay(retryMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }
}

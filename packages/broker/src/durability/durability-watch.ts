import { type DurabilityState, type DurabilityView, LongshoreError } from "@longshore/protocol";
import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import { durabilityOf, nextDurability, nothingToLookBy, notLookedYet } from "./durability.ts";
import type { Look } from "./look.ts";

/** What a broker knows of whether acknowledged work survives a power cut, as it stands. */
export interface Durability extends DurabilityView {
  /** Why no work may be accepted now: `not_durable`, unless the settings allow it all the same. */
  refusal(): LongshoreError | undefined;
}

interface DurabilityWatchOptions {
  /** Undefined: there is nothing to look by. */
  readonly look: Look | undefined;
  /** Accept work that a power cut may lose. */
  readonly acceptsUnsynced: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

const periodMs = 60_000;

/**
 * Looks at the bus's servers when it starts, when told that the bus was reached again, and each minute.
 *
 * Invariants: D1 looks follow one another, so that an older one never overwrites a newer one's. D2 whoever asks for a look gets one that
 * began afterwards: servers may have been restarted with other settings meanwhile.
 */
export class DurabilityWatch implements Durability {
  readonly #options: DurabilityWatchOptions;
  #standing: DurabilityView;
  #looking: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;
  readonly #closing = new AbortController();

  constructor(options: DurabilityWatchOptions) {
    this.#options = options;
    this.#standing = options.look === undefined ? nothingToLookBy : notLookedYet;
  }

  get state(): DurabilityState {
    return this.#standing.state;
  }

  get detail(): string {
    return this.#standing.detail;
  }

  get mend(): string | undefined {
    return this.#standing.mend;
  }

  refusal(): LongshoreError | undefined {
    if (this.state !== "not_durable" || this.#options.acceptsUnsynced) return undefined;
    return new LongshoreError("not_durable", `Cannot accept the invocation: ${this.detail}; ${this.mend ?? ""}`, { phase: "admission" });
  }

  /** Resolves after the first look; call once the bus is connected. */
  async start(): Promise<void> {
    if (this.#options.look === undefined) this.#tell();
    await this.look();
  }

  /** Looks now; resolves when that is done. Never throws. */
  look(): Promise<void> {
    // D2: one that waits for its turn has not begun. D1
    this.#next ??= this.#looking.then(() => {
      this.#looking = this.#lookOnce();
      this.#next = undefined;
      return this.#looking;
    });
    return this.#next;
  }

  /** Looks no more. Idempotent. */
  close(): void {
    this.#closing.abort();
    this.#cancelTimer?.();
  }

  async #lookOnce(): Promise<void> {
    const { look, clock } = this.#options;
    const isClosed = () => this.#closing.signal.aborted;
    this.#cancelTimer?.();
    if (look === undefined || isClosed()) return;
    const seen = nextDurability(this.#standing, durabilityOf(await look()));
    const isNews = seen.state !== this.#standing.state || seen.detail !== this.#standing.detail;
    this.#standing = seen;
    if (isNews) this.#tell();
    if (!isClosed()) this.#cancelTimer = clock.after(periodMs, () => void this.look());
  }

  #tell(): void {
    const { log, acceptsUnsynced } = this.#options;
    const { state, detail, mend } = this;
    if (state === "not_durable") log.error({ state, detail, mend, acceptsUnsynced }, "the bus may lose acknowledged work on a power cut");
    else if (state === "assumed") log.warn({ state, detail, mend }, "durability of the bus is assumed");
    else log.info({ state, detail }, "durability of the bus is verified");
  }
}

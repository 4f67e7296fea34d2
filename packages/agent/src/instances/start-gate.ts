import type { Clock } from "../clock.ts";
import { Alarm } from "./alarm.ts";

export interface StartGateOptions {
  /** So many programs may begin at once whatever the processors do. */
  readonly atOnce: number;
  /** For how long, ever since the host began, something waited for a processor, microseconds; undefined: nobody can tell. */
  readonly waitedUs: () => number | undefined;
  readonly clock: Clock;
  /** More may begin by now. */
  readonly again: () => void;
}

/** What happened within so long tells whether there is a processor to spare. */
const windowMs = 100;
/** Taken for all the time: above this share of it something waited. */
const busyShare = 0.8;

/**
 * Lets programs begin as fast as the host's processors take it. A program that begins beside thirty others is not ready in time, and neither
 * are they; one that waits for something else while it begins keeps nobody up. Beyond the first few, as many more may begin in each window
 * after one in which processors were to spare.
 */
export class StartGate {
  readonly #options: StartGateOptions;
  readonly #alarm: Alarm;
  #window: { readonly sinceMs: number; readonly waitedUs: number } | undefined;
  /** May begin in this window yet. */
  #left = 0;

  constructor(options: StartGateOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock, options.again);
  }

  /** Whether one more may begin beside so many that are beginning; where not, it calls again. */
  mayBegin(beginning: number): boolean {
    if (beginning < this.#options.atOnce) return true;
    const waitedUs = this.#options.waitedUs();
    if (waitedUs === undefined) return true;
    this.#look(waitedUs);
    if (this.#left === 0) {
      this.#alarm.within(windowMs);
      return false;
    }
    this.#left -= 1;
    return true;
  }

  close(): void {
    this.#alarm.cancel();
  }

  #look(waitedUs: number): void {
    const nowMs = this.#options.clock.monotonicMs();
    const before = this.#window;
    const lastedMs = nowMs - (before?.sinceMs ?? nowMs);
    if (before !== undefined && lastedMs < windowMs) return;
    this.#window = { sinceMs: nowMs, waitedUs };
    // Of a time long ago it says nothing.
    const isKnown = before !== undefined && lastedMs <= 4 * windowMs;
    this.#left = isKnown && (waitedUs - before.waitedUs) / 1000 / lastedMs <= busyShare ? this.#options.atOnce : 0;
  }
}

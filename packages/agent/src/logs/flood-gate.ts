import type { Clock } from "../clock.ts";
import { LastBytes } from "./last-bytes.ts";
import { LineSplitter } from "./line-splitter.ts";

/** Output is let in by such periods. */
const windowMs = 100;
/** What one stream may always write in a period. */
const ownCost = 64 * 1024;
/** What all streams of an agent may write beyond that in a period. */
const sharedCost = 256 * 1024;
/** A line costs this beside its bytes: it takes about as long as copying so many. */
const lineCost = 100;
/** Output is taken in such pieces, so that one of empty lines passes no more than its share. */
const pieceBytes = 4 * 1024;
/** The end of what was cut is kept: it often says why. */
const lastWordsBytes = 8 * 1024;

/** What the streams of an agent share. */
export class FloodBudget {
  readonly #clock: Clock;
  #windowEndsMs = 0;
  #left = sharedCost;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** False when the period's share is used up. */
  take(cost: number): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs >= this.#windowEndsMs) {
      this.#windowEndsMs = nowMs + windowMs;
      this.#left = sharedCost;
    }
    if (this.#left <= 0) return false;
    this.#left -= cost;
    return true;
  }
}

export interface FloodGateOptions {
  readonly clock: Clock;
  readonly budget: FloodBudget;
  readonly onLine: (line: string) => void;
  /** So many bytes are missing before the next line. */
  readonly onCut: (bytes: number) => void;
}

/**
 * Turns one stream of output into lines as long as that costs the agent little. Of a flood the most is cut, in the open: nobody could
 * read or keep it, and making lines of it would slow everything else on the host.
 */
export class FloodGate {
  readonly #options: FloodGateOptions;
  readonly #splitter: LineSplitter;
  readonly #lastWords = new LastBytes(lastWordsBytes);
  #windowEndsMs = 0;
  #left = ownCost;
  #lines = 0;
  #cutBytes = 0;
  /** Set while output is cut. */
  #cancelReopening: (() => void) | undefined;

  constructor(options: FloodGateOptions) {
    this.#options = options;
    this.#splitter = new LineSplitter((line) => {
      this.#lines += 1;
      options.onLine(line);
    });
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      if (!this.#isOpen()) return this.#cut(bytes.subarray(at));
      this.#pass(bytes.subarray(at, at + pieceBytes));
    }
  }

  /** Gives at once what it holds: what was cut so far, and a line that has no end yet. */
  flush(): void {
    if (this.#cancelReopening !== undefined) this.#reopen();
    this.#splitter.end();
  }

  #isOpen(): boolean {
    if (this.#cancelReopening !== undefined) return false;
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs >= this.#windowEndsMs) {
      this.#windowEndsMs = nowMs + windowMs;
      this.#left = ownCost;
    }
    return this.#left > 0 || this.#options.budget.take(0);
  }

  #pass(bytes: Uint8Array): void {
    const linesBefore = this.#lines;
    this.#splitter.push(bytes);
    const cost = bytes.length + (this.#lines - linesBefore) * lineCost;
    if (this.#left > 0) this.#left -= cost;
    else this.#options.budget.take(cost);
  }

  #cut(bytes: Uint8Array): void {
    this.#cutBytes += bytes.length;
    this.#lastWords.push(bytes);
    this.#cancelReopening ??= this.#options.clock.after(windowMs, () => this.#reopen());
  }

  #reopen(): void {
    this.#cancelReopening?.();
    this.#cancelReopening = undefined;
    const lastWords = this.#lastWords.bytes();
    const from = this.#cutBytes > lastWords.length ? lastWords.indexOf(0x0a) + 1 : 0;
    const missing = this.#cutBytes - (lastWords.length - from);
    this.#cutBytes = 0;
    this.#lastWords.clear();
    if (missing > 0) {
      this.#splitter.breakOff();
      this.#options.onCut(missing);
    }
    this.#splitter.push(lastWords.subarray(from));
  }
}

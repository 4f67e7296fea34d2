import type { LogLine } from "@longshore/protocol";
import type { LogRing } from "./log-ring.ts";

/** A follower that reads slower than lines come may lag by that many; then it is told how many it missed. */
const maxWaitingLines = 10_000;

/** Gives the lines that are there, then those that come to the rings, until `signal` is aborted; at once over when there are no rings. */
export async function* followLines(kept: () => readonly LogLine[], rings: readonly LogRing[], wanted: (line: LogLine) => boolean, signal: AbortSignal): AsyncGenerator<LogLine> {
  const waiting = new WaitingLines(signal);
  const leave = rings.map((ring) => ring.follow((line) => wanted(line) && waiting.add(line)));
  try {
    yield* kept();
    while (rings.length > 0 && !signal.aborted) yield* await waiting.take();
  } finally {
    for (const stop of leave) stop();
    waiting.close();
  }
}

class WaitingLines {
  readonly #signal: AbortSignal;
  #lines: LogLine[] = [];
  #missed = 0;
  #wake: (() => void) | undefined;
  readonly #onAbort = () => this.#wake?.();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", this.#onAbort);
  }

  add(line: LogLine): void {
    if (this.#lines.length < maxWaitingLines) this.#lines.push(line);
    else this.#missed += 1;
    this.#wake?.();
  }

  /** All that wait, as soon as there is one; none once aborted. */
  async take(): Promise<LogLine[]> {
    if (this.#lines.length === 0 && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const taken = this.#lines;
    const last = taken.at(-1);
    if (this.#missed > 0 && last !== undefined) taken.push({ ...last, stream: "system", line: `${this.#missed} lines were not read fast enough and are missing here` });
    this.#lines = [];
    this.#missed = 0;
    return taken;
  }

  close(): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
  }
}

import type { Clock } from "../clock.ts";

/** An invocation that waits for a slot. */
export interface Waiting {
  /** Where it may run, named: those of one function and one where stand in one line. */
  readonly whereKey: string;
  /** When it came to this broker. */
  readonly arrivedMs: number;
  /** Tries to leave: true when it was sent, or ended. */
  tryPlace(): boolean;
  /** The longest wait is over. */
  expire(): void;
}

interface Entry {
  readonly waiting: Waiting;
  readonly cancelTimer: () => void;
}

/** Heartbeats within that time are answered by one pass. */
const gatherMs = 5;
/** Of so many slots that come free one is left for functions that have waited longer. */
const handoversInARow = 4;

/**
 * Invocations that were admitted and not placed, by function.
 *
 * Invariants: B1 of one function and one where, whoever came first goes first, also after an agent refused it. B2 at most `maxPerFunction` wait for one function, and none longer
 * than it was told. B3 functions take turns: one that keeps its slots busy does not keep others waiting for ever.
 */
export class Backlog {
  readonly #clock: Clock;
  readonly #maxPerFunction: number;
  /** Functions that wait, the one served last at the end. */
  readonly #lines = new Map<string, Set<Entry>>();
  #size = 0;
  #handovers = 0;
  /** Somebody is being placed: what that sets free is for a later pass. */
  #isPlacing = false;
  #cancelPass: (() => void) | undefined;

  constructor(clock: Clock, maxPerFunction: number) {
    this.#clock = clock;
    this.#maxPerFunction = maxPerFunction;
  }

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /** True when somebody stands in line already. */
  hasLine(functionKey: string, whereKey: string): boolean {
    const line = this.#lines.get(functionKey);
    if (line === undefined) return false;
    for (const { waiting } of line) if (waiting.whereKey === whereKey) return true;
    return false;
  }

  /** Takes an invocation in for that long; returns how to leave, or undefined when the line is full. */
  enter(functionKey: string, waiting: Waiting, waitMs: number): (() => void) | undefined {
    const line = this.#lines.get(functionKey) ?? new Set();
    if (line.size >= this.#maxPerFunction) return undefined; // B2
    const entry: Entry = {
      waiting,
      cancelTimer: this.#clock.after(waitMs, () => {
        this.#leave(functionKey, entry);
        waiting.expire();
      }),
    };
    insert(line, entry);
    this.#lines.set(functionKey, line);
    this.#size += 1;
    return () => this.#leave(functionKey, entry);
  }

  /** A slot of this function came free: it goes to the next in line, now and then to whom it has kept waiting. */
  slotFreed(functionKey: string): void {
    if (this.#size === 0) return;
    if (this.#isPlacing) return this.capacityChanged();
    const line = this.#lines.get(functionKey);
    this.#handovers += 1;
    if (line !== undefined && this.#handovers % handoversInARow === 0 && this.#isOutwaited(line)) return; // B3
    if (line === undefined || !this.#serve(functionKey, line)) this.capacityChanged();
  }

  /** Capacity may have changed anywhere: all lines are tried, soon. */
  capacityChanged(): void {
    if (this.#size === 0) return;
    this.#cancelPass ??= this.#clock.after(gatherMs, () => {
      this.#cancelPass = undefined;
      this.#pass();
    });
  }

  /** One of each line in turn, for as long as anyone can be placed. */
  #pass(): void {
    let wasServed = true;
    while (wasServed && this.#size > 0) {
      wasServed = false;
      for (const [functionKey, line] of [...this.#lines]) wasServed = this.#serve(functionKey, line) || wasServed;
    }
  }

  /** Places the first of a line that can be; one of each where is tried. */
  #serve(functionKey: string, line: Set<Entry>): boolean {
    const tried = new Set<string>();
    for (const entry of line) {
      const { waiting } = entry;
      if (tried.has(waiting.whereKey)) continue; // B1
      tried.add(waiting.whereKey);
      if (!this.#tryPlace(waiting)) continue;
      this.#leave(functionKey, entry);
      if (line.size > 0 && this.#lines.delete(functionKey)) this.#lines.set(functionKey, line); // B3
      return true;
    }
    return false;
  }

  #tryPlace(waiting: Waiting): boolean {
    this.#isPlacing = true;
    try {
      return waiting.tryPlace();
    } finally {
      this.#isPlacing = false;
    }
  }

  /** True when another function's first has waited longer than this one's. */
  #isOutwaited(line: Set<Entry>): boolean {
    const [first] = line;
    if (first === undefined) return false;
    for (const other of this.#lines.values()) {
      const [otherFirst] = other;
      if (other !== line && otherFirst !== undefined && otherFirst.waiting.arrivedMs < first.waiting.arrivedMs) return true;
    }
    return false;
  }

  #leave(functionKey: string, entry: Entry): void {
    const line = this.#lines.get(functionKey);
    if (line?.delete(entry) !== true) return;
    entry.cancelTimer();
    this.#size -= 1;
    if (line.size === 0) this.#lines.delete(functionKey);
  }
}

/** Whoever came before stands before. */
function insert(line: Set<Entry>, entry: Entry): void {
  const later = [...line].filter(({ waiting }) => waiting.arrivedMs > entry.waiting.arrivedMs);
  for (const each of later) line.delete(each);
  for (const each of [entry, ...later]) line.add(each);
}

import { historySteps } from "@longshore/protocol";
import { mergeSteps } from "./merge.ts";
import type { Tallies } from "./step-counter.ts";
import type { Summary } from "./summary.ts";

/** Functions by steps by brokers that are held at each length of steps (some 400 bytes each); beyond it the oldest steps go early. */
export const maxPointsPerLength = 50_000;

/** One broker's part of one step. */
interface Part {
  /** As that broker summed it up when the step was over. */
  whole?: Tallies;
  /** Of finer steps that are not held any more, where it did not. */
  folded?: Tallies;
}

/** The steps of one length that are held. */
class Shelf {
  readonly stepMs: number;
  readonly keptMs: number;
  readonly steps = new Map<number, Map<string, Part>>();
  points = 0;
  /** Steps before that have gone: what still comes of them is not wanted. */
  goneBeforeMs = 0;

  constructor({ stepMs, keptMs }: (typeof historySteps)[number]) {
    this.stepMs = stepMs;
    this.keptMs = keptMs;
  }

  set(atMs: number, brokerId: string, change: Part): void {
    const parts = this.steps.get(atMs) ?? new Map<string, Part>();
    this.steps.set(atMs, parts);
    const before = parts.get(brokerId) ?? {};
    const after = { ...before, ...change };
    parts.set(brokerId, after);
    this.points += sizeOf(after) - sizeOf(before);
  }
}

const noTallies: Tallies = new Map();
const sizeOf = ({ whole, folded }: Part) => (whole?.size ?? 0) + (folded?.size ?? 0);

/**
 * Every broker's summaries as far back as they are kept, in any order and any number of times.
 *
 * Invariants: H1 a summary is kept under its broker and step, so that taking it again changes nothing. H2 of one broker and step counts either
 * its own summary of it, or else the finer steps within it: never both. H3 a finer step that goes (its time is over, or there are too many) is first
 * folded into the coarser one, unless that has its summary: nothing is lost but fineness. A step that went does not come again.
 */
export class HistoryBook {
  readonly #shelves = historySteps.map((each) => new Shelf(each));
  readonly #maxPoints: number;

  constructor(maxPoints = maxPointsPerLength) {
    this.#maxPoints = maxPoints;
  }

  /** What is held: functions by steps by brokers. */
  get points(): number {
    return this.#shelves.reduce((sum, { points }) => sum + points, 0);
  }

  /** Takes a summary in; one that is older than its kind is kept, or from the future, is nothing. */
  take({ brokerId, stepMs, atMs, tallies }: Summary, nowMs: number): void {
    const shelf = this.#shelves.find((each) => each.stepMs === stepMs);
    if (shelf === undefined || atMs < shelf.goneBeforeMs || atMs <= nowMs - shelf.keptMs - stepMs || atMs > nowMs + stepMs) return;
    shelf.set(atMs, brokerId, { whole: tallies, folded: noTallies }); // H1
    this.forget(nowMs);
  }

  /** Lets go of what is too old, or too much. */
  forget(nowMs: number): void {
    for (const [level, shelf] of this.#shelves.entries()) {
      const overdue = [...shelf.steps.keys()].filter((atMs) => atMs <= nowMs - shelf.keptMs - shelf.stepMs);
      for (const atMs of overdue) this.#remove(level, atMs);
      while (shelf.points > this.#maxPoints && shelf.steps.size > 1) this.#remove(level, Math.min(...shelf.steps.keys()));
    }
  }

  /** What one broker counted in a step, as far as is known. */
  partOf(brokerId: string, stepMs: number, atMs: number): Tallies {
    return this.#valueOf(this.#shelves.findIndex((each) => each.stepMs === stepMs), atMs, brokerId);
  }

  /** The tallies of all brokers by step, in order of time, from a step on until before another. */
  read(stepMs: number, fromMs: number, untilMs: number, isWanted: (key: string) => boolean): Map<number, Tallies> {
    const level = this.#shelves.findIndex((each) => each.stepMs === stepMs);
    const steps = new Map<number, Tallies>();
    for (let atMs = fromMs; atMs < untilMs; atMs += stepMs) {
      const parts = this.#brokersIn(level, atMs).map((brokerId) => this.#valueOf(level, atMs, brokerId));
      const tallies = mergeSteps(parts, isWanted);
      if (tallies.size > 0) steps.set(atMs, tallies);
    }
    return steps;
  }

  #valueOf(level: number, atMs: number, brokerId: string): Tallies {
    const part = this.#shelves[level]?.steps.get(atMs)?.get(brokerId);
    if (part?.whole !== undefined) return part.whole; // H2
    const finer = this.#finerSteps(level, atMs).map((finerMs) => this.#valueOf(level - 1, finerMs, brokerId));
    return mergeSteps([...(part?.folded === undefined ? [] : [part.folded]), ...finer.filter(({ size }) => size > 0)]);
  }

  #brokersIn(level: number, atMs: number): string[] {
    const found = new Set(this.#shelves[level]?.steps.get(atMs)?.keys());
    for (const finerMs of this.#finerSteps(level, atMs)) for (const brokerId of this.#brokersIn(level - 1, finerMs)) found.add(brokerId);
    return [...found];
  }

  #finerSteps(level: number, atMs: number): number[] {
    const [shelf, finer] = [this.#shelves[level], this.#shelves[level - 1]];
    if (shelf === undefined || finer === undefined) return [];
    return Array.from({ length: shelf.stepMs / finer.stepMs }, (_, index) => atMs + index * finer.stepMs);
  }

  #remove(level: number, atMs: number): void {
    for (const finerMs of this.#finerSteps(level, atMs)) this.#remove(level - 1, finerMs);
    const [shelf, coarser] = [this.#shelves[level], this.#shelves[level + 1]];
    const parts = shelf?.steps.get(atMs);
    if (shelf === undefined || parts === undefined) return;
    shelf.goneBeforeMs = Math.max(shelf.goneBeforeMs, atMs + shelf.stepMs);
    for (const [brokerId, part] of parts) {
      if (coarser !== undefined) this.#fold(coarser, Math.floor(atMs / coarser.stepMs) * coarser.stepMs, brokerId, this.#valueOf(level, atMs, brokerId));
      shelf.points -= sizeOf(part);
    }
    shelf.steps.delete(atMs);
  }

  #fold(coarser: Shelf, atMs: number, brokerId: string, tallies: Tallies): void {
    const part = coarser.steps.get(atMs)?.get(brokerId);
    if (part?.whole === undefined) coarser.set(atMs, brokerId, { folded: mergeSteps([...(part?.folded === undefined ? [] : [part.folded]), tallies]) }); // H3
  }
}

import { type Code, LongshoreError } from "@longshore/protocol";
import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import type { Documents } from "../identity/documents.ts";
import { Alarm } from "./alarm.ts";
import { decide, nextLook, settled } from "./decide.ts";
import { type Accept, dueRunOf } from "./run-request.ts";
import type { StoredSchedule } from "./stored-schedule.ts";

export interface ScheduleRunnerOptions {
  readonly documents: Documents<StoredSchedule>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly accept: Accept;
  /** Whether this broker is the one to try first. */
  readonly isOwner: (key: string) => boolean;
}

/** How long the others leave it to the owner of a schedule. */
export const patienceMs = 5_000;
/** What was read is acted upon within that time, or read again. */
const freshMs = 2_000;
/** Schedules that are seen to at once. */
const maxAtOnce = 16;
const retryMinMs = 1_000;
const retryMaxMs = 30_000;
/** An accepting that failed like this fails again. */
const lasting: readonly Code[] = ["not_found", "invalid_argument", "failed_precondition", "permission_denied", "unimplemented"];

/**
 * Has the due runs of every schedule accepted, each once, with any number of brokers that do the same.
 *
 * Invariants: T1 which due times run is decided by a compare-and-set of the schedule, and only a run that was decided on is accepted. T2 a run's id
 * follows from its due time, so that one that is accepted again (its broker died before it could say so) is the same. T3 nothing is accepted but by what was read
 * a moment before: a broker that was frozen finds out what has changed.
 */
export class ScheduleRunner {
  readonly #options: ScheduleRunnerOptions;
  readonly #alarm: Alarm;
  readonly #running = new Set<string>();
  /** To be looked at, once there is room or their present look is over. */
  readonly #waiting = new Set<string>();
  readonly #failures = new Map<string, number>();
  #isClosed = false;

  constructor(options: ScheduleRunnerOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock, (key) => this.#look(key));
  }

  /** A schedule was made or changed, by whichever broker. */
  changed(key: string, stored: StoredSchedule | undefined): void {
    if (stored !== undefined) this.#lookAgain(key, stored);
    else this.#failures.delete(key);
  }

  close(): void {
    this.#isClosed = true;
    this.#alarm.close();
  }

  #look(key: string): void {
    const stored = this.#options.documents.peek(key);
    if (this.#isClosed || stored === undefined) return;
    if (this.#lookAtMs(key, stored) > this.#nowMs()) return this.#lookAgain(key, stored);
    if (this.#running.has(key) || this.#running.size >= maxAtOnce) return void this.#waiting.add(key);
    this.#running.add(key);
    void this.#see(key).finally(() => this.#seen(key));
  }

  /** Infinity: not before it changes. */
  #lookAtMs(key: string, stored: StoredSchedule): number {
    return nextLook(stored, this.#options.isOwner(key) ? 0 : patienceMs) ?? Infinity;
  }

  #lookAgain(key: string, stored: StoredSchedule): void {
    const atMs = this.#lookAtMs(key, stored);
    if (!this.#isClosed && atMs !== Infinity) this.#alarm.set(key, atMs);
  }

  async #see(key: string): Promise<void> {
    try {
      const stored = await this.#advance(key);
      this.#failures.delete(key);
      if (stored !== undefined) this.#lookAgain(key, stored);
    } catch (err) {
      this.#failed(key, err);
    }
  }

  #seen(key: string): void {
    this.#running.delete(key);
    const waiting = [...this.#waiting].slice(0, maxAtOnce);
    for (const next of waiting) this.#waiting.delete(next);
    for (const next of waiting) this.#look(next);
  }

  #failed(key: string, err: unknown): void {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    if (failures === 1) this.#options.log.warn({ err, schedule: key }, "schedule cannot be seen to yet");
    if (!this.#isClosed) this.#alarm.set(key, this.#nowMs() + Math.min(retryMaxMs, retryMinMs * 2 ** (failures - 1)));
  }

  /** Takes steps until there is nothing to do for now; resolves with what stands then. */
  async #advance(key: string): Promise<StoredSchedule | undefined> {
    const { documents, clock } = this.#options;
    while (!this.#isClosed) {
      const askedMs = clock.nowMs();
      const found = await documents.read(key);
      if (found === undefined) return undefined;
      if (clock.nowMs() - askedMs > freshMs) continue; // T3
      const step = decide(found.value, this.#nowMs());
      if (step.kind === "wait") return found.value;
      const next = step.kind === "write" ? step.next : settled(found.value, await this.#run(found.value, step.dueMs), this.#nowMs());
      await documents.replace(key, next, found.revision); // T1. Lost: another broker was faster, and what it wrote is read next.
    }
    return undefined;
  }

  /** Accepts a run that was decided on. Rejects where it is worth trying again. */
  async #run(stored: StoredSchedule, dueMs: number): Promise<NonNullable<StoredSchedule["last"]>> {
    const run = dueRunOf(stored, dueMs); // T2
    const { invocationId, functionName } = run;
    try {
      await this.#options.accept(run);
    } catch (error) {
      if (!(error instanceof LongshoreError)) throw error;
      if (error.reason === "invocation_exists") return { dueMs, invocationId };
      if (!lasting.includes(error.code)) throw error;
      this.#options.log.warn({ err: error, tenantId: stored.tenantId, schedule: stored.definition.name, functionName, invocationId }, "due run was refused");
      return { dueMs, error: error.toShape() };
    }
    return { dueMs, invocationId };
  }

  #nowMs(): number {
    return this.#options.clock.date().getTime();
  }
}

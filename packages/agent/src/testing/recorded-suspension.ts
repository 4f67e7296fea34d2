import type { Suspension } from "../engine/container-freezer.ts";

/** Keeps what was asked of it, in order. */
export class RecordedSuspension implements Suspension {
  readonly asked: ("pause" | "resume")[] = [];
  /** What the next call fails with. */
  failure: Error | undefined;

  pause(): Promise<void> {
    return this.#ask("pause");
  }

  resume(): Promise<void> {
    return this.#ask("resume");
  }

  #ask(what: "pause" | "resume"): Promise<void> {
    this.asked.push(what);
    const failure = this.failure;
    this.failure = undefined;
    return failure === undefined ? Promise.resolve() : Promise.reject(failure);
  }
}

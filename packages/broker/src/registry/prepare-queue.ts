/** Runs jobs behind, so many at once in all and for each owner; those of more urgency first, and of equals the first come. */
export class PrepareQueue {
  readonly #limits: { readonly atOnce: number; readonly perOwner: number };
  readonly #waiting: Job[] = [];
  readonly #running = new Map<unknown, number>();
  #runningCount = 0;
  #isClosed = false;

  constructor(limits: { readonly atOnce: number; readonly perOwner: number }) {
    this.#limits = limits;
  }

  /** `run` settles its own failures. */
  add(owner: unknown, isUrgent: boolean, run: () => Promise<void>): void {
    const job = { owner, isUrgent, run };
    const at = isUrgent ? this.#waiting.findIndex((other) => !other.isUrgent) : -1;
    if (at === -1) this.#waiting.push(job);
    else this.#waiting.splice(at, 0, job);
    this.#go();
  }

  /** What waits is never run. */
  close(): void {
    this.#isClosed = true;
    this.#waiting.length = 0;
  }

  #go(): void {
    for (let at = 0; at < this.#waiting.length && this.#runningCount < this.#limits.atOnce && !this.#isClosed; ) {
      const job = this.#waiting[at];
      if (job === undefined) return;
      if (this.#runningOf(job.owner) >= this.#limits.perOwner) {
        at += 1;
        continue;
      }
      this.#waiting.splice(at, 1);
      this.#begin(job);
    }
  }

  #begin({ owner, run }: Job): void {
    this.#runningCount += 1;
    this.#running.set(owner, this.#runningOf(owner) + 1);
    void run().finally(() => {
      this.#runningCount -= 1;
      const left = this.#runningOf(owner) - 1;
      if (left === 0) this.#running.delete(owner);
      else this.#running.set(owner, left);
      this.#go();
    });
  }

  #runningOf(owner: unknown): number {
    return this.#running.get(owner) ?? 0;
  }
}

interface Job {
  readonly owner: unknown;
  readonly isUrgent: boolean;
  readonly run: () => Promise<void>;
}

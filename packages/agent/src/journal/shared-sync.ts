/**
 * One sync for all who ask while another is under way: what was written before a call is on disk when that call resolves.
 *
 * The one under way may have begun before the caller's write, so that the caller waits for the next.
 */
export class SharedSync {
  readonly #sync: () => Promise<void>;
  #underWay: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(sync: () => Promise<void>) {
    this.#sync = sync;
  }

  /** Rejects when the sync did: nobody knows then what is on disk. */
  request(): Promise<void> {
    this.#next ??= this.#begin();
    return this.#next;
  }

  async #begin(): Promise<void> {
    await this.#underWay?.catch(() => undefined); // Told to those whose it was.
    this.#underWay = this.#next;
    this.#next = undefined;
    await this.#sync();
  }
}

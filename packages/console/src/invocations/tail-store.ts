import type { FleetEvent, InvocationRecord } from "@longshore/sdk";
import { Ring } from "../shell/ring.ts";
import { type InvocationFilter, matches } from "./invocation-filter.ts";

/** So many of the latest invocations are kept in the page. */
export const tailCapacity = 5_000;

/** What ended since the page began to watch: the latest, newest first. It can be held still while more comes in. */
export class TailStore {
  readonly #ring: Ring<InvocationRecord>;
  #still: readonly InvocationRecord[] | undefined;
  #seen = 0;
  #seenWhenHeld = 0;

  constructor(capacity = tailCapacity) {
    this.#ring = new Ring(capacity);
  }

  take(event: FleetEvent): void {
    if (event.event !== "invocation") return;
    this.#ring.push(event.record);
    this.#seen += 1;
  }

  /** How many came in all. */
  get seen(): number {
    return this.#seen;
  }

  get isStill(): boolean {
    return this.#still !== undefined;
  }

  /** How many came since it was held still. */
  get behind(): number {
    return this.#still === undefined ? 0 : this.#seen - this.#seenWhenHeld;
  }

  hold(): void {
    this.#still = this.#ring.items();
    this.#seenWhenHeld = this.#seen;
  }

  release(): void {
    this.#still = undefined;
  }

  find(invocationId: string): InvocationRecord | undefined {
    return this.#ring.find((record) => record.invocationId === invocationId);
  }

  /** Newest first, at most `most`. */
  list(filter: InvocationFilter, most = tailCapacity): readonly InvocationRecord[] {
    const found: InvocationRecord[] = [];
    const items = this.#still ?? this.#ring.items();
    for (let at = items.length - 1; at >= 0 && found.length < most; at -= 1) {
      const record = items[at];
      if (record !== undefined && matches(filter, record)) found.push(record);
    }
    return found;
  }
}

import { shareName } from "./image-names.ts";

/** Removes an image as long as nobody wants it; asks `isWanted` before each step. */
export type Removal<Outcome> = (isWanted: () => boolean) => Promise<Outcome>;

/**
 * Keeps removals of images out of the way of starts and pulls.
 *
 * Invariants: N1 no removal of a pinned image begins. N2 a pin is granted only once no removal of its image is under way: who pins, then
 * looks, sees what there is. N3 a pin never waits for another pin.
 */
export class ImagePins {
  readonly #counts = new Map<string, number>();
  readonly #removals = new Set<{ readonly names: ReadonlySet<string>; readonly over: Promise<unknown> }>();

  /** Keeps whatever bears one of these names until what it resolves with is called. */
  async pin(names: readonly string[]): Promise<() => void> {
    for (const name of names) this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1); // At once: N1
    await Promise.all([...this.#removals].filter((removal) => shareName(names, removal.names)).map(({ over }) => over)); // N2
    let isHeld = true;
    return () => {
      if (isHeld) for (const name of names) this.#unpin(name);
      isHeld = false;
    };
  }

  /** True while somebody holds, or waits for, a pin on one of these names. */
  isPinned(names: Iterable<string>): boolean {
    for (const name of names) if (this.#counts.has(name)) return true;
    return false;
  }

  /** Runs a removal of the image of these names; undefined, without running it, while that is pinned. Rejects as the removal does. */
  async remove<Outcome>(names: Iterable<string>, removal: Removal<Outcome>): Promise<Outcome | undefined> {
    const all = new Set(names);
    if (this.isPinned(all)) return undefined; // N1
    const removed = removal(() => this.isPinned(all));
    const entry = { names: all, over: removed.catch(() => undefined) };
    this.#removals.add(entry);
    try {
      return await removed;
    } finally {
      this.#removals.delete(entry);
    }
  }

  #unpin(name: string): void {
    const count = (this.#counts.get(name) ?? 1) - 1;
    if (count === 0) this.#counts.delete(name);
    else this.#counts.set(name, count);
  }
}

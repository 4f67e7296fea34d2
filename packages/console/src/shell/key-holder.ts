/** What keeps text for as long as a tab lives: `sessionStorage`, or a double of it. */
export type TabStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** Kept in a tab a key lives that long at most, whatever happens. */
export const keyLifeMs = 8 * 3_600_000;
const place = "longshore.key";

/**
 * The API key that this page calls with. It is in memory, and in the tab's storage only where the person wants it to outlive a reload, and
 * then for {@link keyLifeMs} from when it was entered: a page of a function is of the same origin, and could read it in the same tab.
 */
export class KeyHolder {
  readonly #storage: TabStorage;
  readonly #now: () => number;
  #held: { readonly key: string; readonly untilMs: number } | undefined;

  constructor(storage: TabStorage, now: () => number) {
    this.#storage = storage;
    this.#now = now;
    this.#held = this.#read();
  }

  /** The key, while it lives. */
  get key(): string | undefined {
    if (this.#held !== undefined && this.#held.untilMs <= this.#now()) this.forget();
    return this.#held?.key;
  }

  hold(key: string, { inTab }: { readonly inTab: boolean }): void {
    this.#held = { key, untilMs: this.#now() + keyLifeMs };
    if (inTab) this.#storage.setItem(place, JSON.stringify(this.#held));
    else this.#storage.removeItem(place);
  }

  forget(): void {
    this.#held = undefined;
    this.#storage.removeItem(place);
  }

  #read(): { readonly key: string; readonly untilMs: number } | undefined {
    try {
      const kept = JSON.parse(this.#storage.getItem(place) ?? "null") as { key?: unknown; untilMs?: unknown } | null;
      if (typeof kept?.key === "string" && typeof kept.untilMs === "number" && kept.untilMs > this.#now() && kept.untilMs <= this.#now() + keyLifeMs) return { key: kept.key, untilMs: kept.untilMs };
    } catch {
      // Not ours.
    }
    this.#storage.removeItem(place);
    return undefined;
  }
}

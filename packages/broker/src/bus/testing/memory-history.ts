import type { HistoryStore, SummaryName } from "../history-store.ts";

/** The history without a server: any number of "brokers" may share one. It keeps the contract of the real one (history-contract.ts), but for what goes by itself. */
export class MemoryHistory implements HistoryStore {
  /** While it is set nothing is stored. */
  isAway = false;
  dropped = 0;
  readonly stored = new Map<string, { readonly name: SummaryName; readonly lifeMs: number; readonly document: unknown }>();
  readonly #followers = new Set<(name: SummaryName, document: unknown) => void>();

  async write(name: SummaryName, lifeMs: number, document: unknown): Promise<void> {
    await Promise.resolve();
    if (this.isAway) this.dropped += 1;
    if (this.isAway) return;
    const kept = structuredClone(document);
    this.stored.set(`${name.stepMs}.${name.brokerId}.${name.atMs}`, { name, lifeMs, document: kept });
    for (const follower of this.#followers) follower(name, kept);
  }

  follow(follower: (name: SummaryName, document: unknown) => void): { readonly ready: Promise<void>; close(): void } {
    for (const { name, document } of this.stored.values()) follower(name, document);
    this.#followers.add(follower);
    return { ready: Promise.resolve(), close: () => this.#followers.delete(follower) };
  }
}

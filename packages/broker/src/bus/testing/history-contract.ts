import { describe, expect, it } from "vitest";
import type { HistoryStore, SummaryName } from "../history-store.ts";

/** Two brokers' views of one history. */
export interface SharedHistories extends AsyncDisposable {
  readonly histories: readonly [HistoryStore, HistoryStore];
}

/** Follows, and lets a test wait for what it is told. */
export class FollowedHistory {
  readonly told: [SummaryName, unknown][] = [];
  readonly #waiting: (() => void)[] = [];

  readonly follower = (name: SummaryName, document: unknown): void => {
    this.told.push([name, document]);
    for (const resolve of this.#waiting.splice(0)) resolve();
  };

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/** What every store of the history promises: the real one and its double. */
export function describeHistory(name: string, open: () => Promise<SharedHistories>): void {
  describe(name, () => {
    const hour = 3_600_000;
    const named = (atMs: number, brokerId = "b1"): SummaryName => ({ brokerId, stepMs: 10_000, atMs });

    it("tells whoever follows what stands, then what comes, of every broker, its own as well", async () => {
      await using shared = await open();
      const [one, other] = shared.histories;
      await one.write(named(10_000), hour, { n: 1 });
      await other.write(named(10_000, "b2"), hour, { n: 2 });
      const [ours, theirs] = [new FollowedHistory(), new FollowedHistory()];
      const follow = one.follow(ours.follower);
      await Promise.all([follow.ready, other.follow(theirs.follower).ready]);
      await one.write(named(20_000), hour, { n: 3 });
      for (const followed of [ours, theirs]) {
        await followed.until(() => followed.told.length === 3);
        expect(followed.told).toEqual([[named(10_000), { n: 1 }], [named(10_000, "b2"), { n: 2 }], [named(20_000), { n: 3 }]]);
      }
      follow.close();
      await other.write(named(30_000), hour, { n: 4 });
      await theirs.until(() => theirs.told.length === 4);
      expect(ours.told).toHaveLength(3);
    });

    it("keeps one summary under a name: the last", async () => {
      await using shared = await open();
      const [one, other] = shared.histories;
      await one.write(named(10_000), hour, { n: 1 });
      await one.write(named(10_000), hour, { n: 2 });
      const followed = new FollowedHistory();
      await other.follow(followed.follower).ready;
      expect(followed.told).toEqual([[named(10_000), { n: 2 }]]);
    });
  });
}

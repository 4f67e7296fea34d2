import { describe, expect, it } from "vitest";
import type { Bucket, Entry, Store } from "../bus.ts";

const options = { history: 1, ttlMs: 0, storage: "file" } as const;

export const bytes = (text: string) => new TextEncoder().encode(text);
export const text = (value: Uint8Array | undefined) => (value === undefined ? undefined : new TextDecoder().decode(value));

/** Three brokers' views of one store, and what ends them. */
export interface SharedStores extends AsyncDisposable {
  readonly stores: readonly [Store, Store, Store];
}

/** Follows a bucket, and lets a test wait for what it is told. */
export class Followed {
  readonly state = new Map<string, string>();
  readonly log: string[] = [];
  readonly #waiting: (() => void)[] = [];

  readonly handler = ({ key, value, deleted }: Entry) => {
    if (deleted) this.state.delete(key);
    else this.state.set(key, text(value) ?? "");
    this.log.push(deleted ? `-${key}` : `${key}=${text(value) ?? ""}`);
    for (const resolve of this.#waiting.splice(0)) resolve();
  };

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/** What every store promises: the real one and its double. */
export function describeStore(name: string, open: () => Promise<SharedStores>): void {
  describe(name, () => {
    it("lets one of many writers create, or change, an entry", async () => {
      await using shared = await open();
      const buckets = await Promise.all(shared.stores.map((store) => store.bucket("things", options)));
      const [bucket] = buckets as [Bucket, Bucket, Bucket];
      const created = await Promise.all(buckets.map((each, index) => each.create("a.b", bytes(String(index)))));
      expect(created.filter((revision) => revision !== undefined)).toHaveLength(1);
      const revision = (await bucket.get("a.b"))?.revision ?? 0;
      const updated = await Promise.all(buckets.map((each) => each.update("a.b", bytes("next"), revision)));
      expect(updated.filter((next) => next !== undefined)).toHaveLength(1);
      await bucket.delete("a.b");
      expect(await bucket.get("a.b")).toBeUndefined();
      expect(await bucket.create("a.b", bytes("again"))).toBeDefined();
    });

    it("tells a watcher everything that stands, then every change, in order", async () => {
      await using shared = await open();
      const bucket = await shared.stores[0].bucket("things", options);
      const fromTheStart = new Followed();
      await (await shared.stores[1].bucket("things", options)).watch(fromTheStart.handler);
      await bucket.put("a", bytes("1"));
      await bucket.put("b", bytes("2"));
      const followed = new Followed();
      const watch = await bucket.watch(followed.handler);
      expect(followed.log).toEqual(["a=1", "b=2"]);
      await bucket.put("a", bytes("3"));
      await bucket.delete("b");
      await followed.until(() => followed.log.length === 4);
      await fromTheStart.until(() => fromTheStart.log.length === 4);
      expect(followed.log).toEqual(["a=1", "b=2", "a=3", "-b"]);
      watch.close();
      await bucket.put("c", bytes("4"));
      await fromTheStart.until(() => fromTheStart.log.length === 5);
      expect(followed.log).toHaveLength(4);
    });

    it("keeps the first record of an invocation, from whichever broker", async () => {
      await using shared = await open();
      const [one, other] = [shared.stores[0].records, shared.stores[1].records];
      one.append("default", "i1", { outcome: "succeeded" }, bytes("body"));
      await one.flush();
      other.append("default", "i1", { outcome: "lost" }, bytes(""));
      await other.flush();
      const record = await other.read("default", "i1");
      expect({ head: record?.head, body: text(record?.body) }).toEqual({ head: { outcome: "succeeded" }, body: "body" });
      expect(await other.read("another", "i1")).toBeUndefined();
      expect(await other.read("default", "i2")).toBeUndefined();
    });
  });
}

import { createInvocationId, type FunctionName, type InvocationId, type TenantId } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import type { QueueEntry, QueueFollower, QueueKey, QueueStore, QueueTerms } from "../queue-store.ts";
import { partitionOf } from "../queue-subjects.ts";

/** Two brokers' views of one queue, and what ends them. */
export interface SharedQueues extends AsyncDisposable {
  readonly queues: readonly [QueueStore, QueueStore];
}

export const acme = "acme" as TenantId;
const resize = "resize" as FunctionName;
const hour = 3_600_000;
export const terms = (changes: Partial<QueueTerms> = {}): QueueTerms => ({ attempt: 1, notBeforeMs: 0, expiresAtMs: Date.now() + hour, sentUntilMs: 0, ...changes });
export const keyOf = (functionName: FunctionName = resize, invocationId: InvocationId = createInvocationId(), tenantId: TenantId = acme): QueueKey => ({ tenantId, functionName, invocationId });
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined) => (value === undefined ? undefined : new TextDecoder().decode(value));

/** Follows a partition, and lets a test wait for what it is told. */
export class FollowedPartition implements QueueFollower {
  entries: QueueEntry[] = [];
  passes = 0;
  readonly #waiting: (() => void)[] = [];

  restarted(): void {
    this.entries = [];
    this.passes += 1;
  }

  queued(entry: QueueEntry): void {
    this.entries.push(entry);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/** What every queue promises: the real one and its double. */
export function describeQueue(name: string, open: () => Promise<SharedQueues>): void {
  describe(name, () => {
    it("takes an id once in a tenant, whichever broker and function it comes by, and for good", async () => {
      await using shared = await open();
      const [one, other] = shared.queues;
      const key = keyOf();
      const answers = await Promise.all([one.accept(key, terms(), { n: 1 }, bytes("first")), other.accept(key, terms(), { n: 2 }, bytes("second"))]);
      expect(answers.filter(Boolean)).toHaveLength(1);
      expect(await other.accept({ ...key, functionName: "shrink" as FunctionName }, terms(), {}, bytes(""))).toBe(false);
      expect(await other.accept({ ...key, tenantId: "globex" as TenantId }, terms(), {}, bytes(""))).toBe(true);
      expect(await one.finish(key, { outcome: "succeeded" }, bytes(""))).toBe(true);
      expect(await other.accept(key, terms(), {}, bytes(""))).toBe(false);
    });

    it("keeps what was sent, byte for byte, and finds it by its id in its tenant alone", async () => {
      await using shared = await open();
      const [one, other] = shared.queues;
      const key = keyOf();
      const body = Uint8Array.from({ length: 256 }, (_, index) => index);
      const wanted = terms({ attempt: 3, notBeforeMs: 17, sentUntilMs: Date.now() + 5 });
      await one.accept(key, wanted, { request: { method: "POST" } }, body);
      const found = await other.find(key.tenantId, key.invocationId);
      expect(found).toMatchObject({ state: "queued", ...key, ...wanted, head: { request: { method: "POST" } } });
      expect(Uint8Array.from(found?.body ?? [])).toEqual(body);
      expect(await other.find("globex" as TenantId, key.invocationId)).toBeUndefined();
      expect(await other.find(key.tenantId, createInvocationId())).toBeUndefined();
    });

    it("stores a dead letter with the record or not at all, finds it, and takes it away", async () => {
      await using shared = await open();
      const [one, other] = shared.queues;
      const key = keyOf();
      await one.accept(key, terms(), {}, bytes("body"));
      const ends = await Promise.all([one.finish(key, { by: "one" }, bytes(""), { dead: { head: { by: "one" }, body: bytes("body") } }), other.finish(key, { by: "other" }, bytes(""), { dead: { head: { by: "other" }, body: bytes("body") } })]);
      expect(ends.filter(Boolean)).toHaveLength(1);
      const by = ends[0] ? "one" : "other";
      expect(await other.find(key.tenantId, key.invocationId)).toMatchObject({ state: "finished", head: { by } });
      const dead = await other.findDead(key.tenantId, key.invocationId);
      expect(dead).toMatchObject({ ...key, head: { by } });
      expect(text(dead?.body)).toBe("body");
      expect(await one.findDead("globex" as TenantId, key.invocationId)).toBeUndefined();
      if (dead === undefined) return;
      for (let times = 0; times < 2; times += 1) await one.remove(dead);
      expect(await other.findDead(key.tenantId, key.invocationId)).toBeUndefined();
      expect(await one.accept(key, terms(), {}, bytes(""))).toBe(false);
    });

    it("accepts with a record what follows from it, once", async () => {
      await using shared = await open();
      const [one, other] = shared.queues;
      const [key, next] = [keyOf(), keyOf("notify" as FunctionName)];
      await one.accept(key, terms(), {}, bytes("body"));
      const followUp = { ...next, terms: terms({ attempt: 1 }), head: { after: key.invocationId }, body: bytes("told") };
      const ends = await Promise.all([one.finish(key, {}, bytes(""), { followUp, dead: { head: {}, body: bytes("") } }), other.finish(key, {}, bytes(""), { followUp })]);
      expect(ends.filter(Boolean)).toHaveLength(1);
      const found = await other.find(next.tenantId, next.invocationId);
      expect(found).toMatchObject({ state: "queued", ...next, attempt: 1, head: { after: key.invocationId } });
      expect(text(found?.body)).toBe("told");
      expect(await one.find(key.tenantId, key.invocationId)).toMatchObject({ state: "finished" });
    });

    it("lists what is queued, what ended and what is dead, of a tenant or of a function, page by page", async () => {
      await using shared = await open();
      const [one, other] = shared.queues;
      const keys = Array.from({ length: 5 }, (_, index) => keyOf((index === 4 ? "shrink" : "resize") as FunctionName, createInvocationId(), "listed" as TenantId));
      for (const key of keys) await one.accept(key, terms({ attempt: 2 }), { id: key.invocationId }, bytes("body"));
      await one.accept(keyOf(resize, createInvocationId(), "another" as TenantId), terms(), {}, bytes(""));
      const page = { tenantId: "listed" as TenantId, functionName: "*" as const, after: 0, limit: 10 };
      const idsOf = (listed: readonly { readonly invocationId: InvocationId }[]) => listed.map(({ invocationId }) => invocationId);
      const all = await other.list("entry", page);
      expect(idsOf(all)).toEqual(idsOf(keys));
      expect(all[0]).toMatchObject({ terms: { attempt: 2 }, head: { id: keys[0]?.invocationId } });
      expect(idsOf(await other.list("entry", { ...page, functionName: "shrink" as FunctionName }))).toEqual(idsOf(keys.slice(4)));
      const first = await other.list("entry", { ...page, limit: 2 });
      expect(idsOf(first)).toEqual(idsOf(keys.slice(0, 2)));
      expect(idsOf(await other.list("entry", { ...page, after: first[1]?.sequence ?? 0 }))).toEqual(idsOf(keys.slice(2)));
      for (const key of keys.slice(0, 3).toReversed()) await one.finish(key, { ended: key.invocationId }, bytes("answer"), { dead: { head: { dead: key.invocationId }, body: bytes("body") } });
      expect(idsOf(await other.list("entry", page))).toEqual(idsOf(keys.slice(3)));
      expect((await other.list("record", page)).map(({ head }) => head)).toEqual(keys.slice(0, 3).toReversed().map(({ invocationId }) => ({ ended: invocationId })));
      expect((await other.list("dead", page)).map(({ head }) => head)).toEqual(keys.slice(0, 3).toReversed().map(({ invocationId }) => ({ dead: invocationId })));
      expect(await other.list("dead", { ...page, tenantId: "nobody" as TenantId })).toEqual([]);
      expect(await Promise.all((["entry", "record", "dead", "overdue"] as const).map((kind) => one.count(kind)))).toEqual([3, 3, 3, 0]);
    });

    it("ends an invocation by its first record, which takes the entry's place", async () => {
      await using shared = await open();
      const [one, other] = shared.queues;
      const key = keyOf();
      await one.accept(key, terms(), {}, bytes("body"));
      const entry = await one.find(key.tenantId, key.invocationId);
      if (entry?.state !== "queued") throw new Error("it was accepted");
      const ends = await Promise.all([one.finish(key, { by: "one" }, bytes("1")), other.finish(key, { by: "other" }, bytes("2"))]);
      expect(ends.filter(Boolean)).toHaveLength(1);
      expect(await other.read(entry)).toBeUndefined();
      expect(await other.again(entry, terms(), {})).toBeUndefined();
      const winner = ends[0] ? { by: "one", body: "1" } : { by: "other", body: "2" };
      const found = await one.find(key.tenantId, key.invocationId);
      expect([found?.state, found?.head, text(found?.body)]).toEqual(["finished", { by: winner.by }, winner.body]);
    });

    it("puts a later attempt in an entry's place, for one of those who try", async () => {
      await using shared = await open();
      const [one, other] = shared.queues;
      const key = keyOf();
      await one.accept(key, terms(), { n: 1 }, bytes("body"));
      const entry = await one.find(key.tenantId, key.invocationId);
      if (entry?.state !== "queued") throw new Error("it was accepted");
      const later = await Promise.all([one.again(entry, terms({ attempt: 2 }), { n: 2 }), other.again(entry, terms({ attempt: 2 }), { n: 2 })]);
      expect(later.filter((sequence) => sequence !== undefined)).toHaveLength(1);
      expect(await one.read(entry)).toBeUndefined();
      const found = await other.find(key.tenantId, key.invocationId);
      expect(found).toMatchObject({ state: "queued", attempt: 2, head: { n: 2 }, sequence: later.find((sequence) => sequence !== undefined) });
      expect(text(found?.body)).toBe("body");
    });

    it("tells a follower of a partition what stands there, then what comes, and nothing of others", async () => {
      await using shared = await open();
      const [one, other] = shared.queues;
      const partition = partitionOf(keyOf());
      const elsewhere = ["a", "b", "c", "d"].map((name) => name as FunctionName).find((functionName) => partitionOf({ tenantId: acme, functionName }) !== partition);
      const [first, second, third] = [keyOf(), keyOf(), keyOf()];
      await one.accept(first, terms({ notBeforeMs: 5 }), {}, bytes("x"));
      await one.accept(keyOf(elsewhere), terms(), {}, bytes("x"));
      await one.accept(second, terms(), {}, bytes("x"));
      await one.finish(second, {}, bytes(""));
      const followed = new FollowedPartition();
      const follow = other.follow(partition, followed);
      await follow.ready;
      expect(followed.entries).toMatchObject([{ ...first, attempt: 1, notBeforeMs: 5 }]);
      await one.accept(third, terms(), {}, bytes("x"));
      await followed.until(() => followed.entries.length === 2);
      expect(followed.entries[1]).toMatchObject(third);
      const read = await other.read(followed.entries[1] as QueueEntry);
      expect([read?.invocationId, text(read?.body)]).toEqual([third.invocationId, "x"]);
      follow.close();
    });

    it("tells a follower of all what stands in every partition", async () => {
      await using shared = await open();
      const [one, other] = shared.queues;
      const keys = ["a", "b", "c", "d"].map((name) => keyOf(name as FunctionName));
      for (const key of keys) await one.accept(key, terms(), {}, bytes("x"));
      await one.finish(keys[1] as QueueKey, {}, bytes(""));
      const followed = new FollowedPartition();
      const follow = other.follow("all", followed);
      await follow.ready;
      expect(followed.entries.map(({ functionName }) => functionName)).toEqual(["a", "c", "d"]);
      follow.close();
    });

    it("answers each of many writes at once for itself", async () => {
      await using shared = await open();
      const [one, other] = shared.queues;
      const keys = Array.from({ length: 200 }, () => keyOf());
      const taken = keys[100] as QueueKey;
      await other.accept(taken, terms(), {}, bytes("theirs"));
      const accepted = await Promise.all(keys.map((key, index) => one.accept(key, terms(), { index }, bytes(String(index)))));
      expect(accepted.map((isNew, index) => (isNew ? undefined : index)).filter((index) => index !== undefined)).toEqual([100]);
      const found = await Promise.all(keys.map(({ tenantId, invocationId }) => other.find(tenantId, invocationId)));
      expect(found.map((each) => text(each?.body))).toEqual(keys.map((key, index) => (key === taken ? "theirs" : String(index))));
      const ended = await Promise.all([...keys, ...keys].map((key, index) => one.finish(key, { index }, bytes(""))));
      expect(ended.filter(Boolean)).toHaveLength(200);
    });
  });
}

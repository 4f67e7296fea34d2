import { createInvocationId, type InvocationId, type InvocationRecord, type RecordPage, recordPageQuerySchema, type TenantId } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { instantOf } from "../bus/instant.ts";
import type { KeptRecord, RecordReader } from "../bus/kept-record.ts";
import { MemoryQueue } from "../bus/testing/memory-queue.ts";
import { MemoryRecords } from "../bus/testing/memory-store.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { RecordPages, type RecordPagesOptions } from "./record-pages.ts";

const acme = "acme" as TenantId;
const nothing = new Uint8Array(0);

const recordOf = (invocationId: string): InvocationRecord => ({ invocationId, functionName: "resize", attempt: 1, result: { outcome: "succeeded" }, acceptedAt: "", finishedAt: "2026-11-25T00:00:00Z", timings: {}, payloadBytes: 0, resultBytes: 0, resultKept: false });

/** Both streams, with one clock, and pages over them. */
function setUp(limits?: RecordPagesOptions["limits"]) {
  const clock = new ManualClock();
  const records = new MemoryRecords(() => clock.date());
  const queue = new MemoryQueue(() => clock.date());
  const unreadable: KeptRecord[] = [];
  const pages = new RecordPages({ readers: [records, queue], unreadable: (record) => unreadable.push(record), ...(limits && { limits }) });
  const recordAt = (changes: Partial<InvocationRecord> & { outcome?: InvocationRecord["result"]["outcome"] } = {}): InvocationRecord => {
    const { outcome = "succeeded", ...rest } = changes;
    const at = clock.date().toISOString();
    return { invocationId: createInvocationId(), functionName: "resize", siteId: "plant", agentId: "a1", attempt: 1, result: { outcome }, acceptedAt: at, finishedAt: at, timings: {}, payloadBytes: 0, resultBytes: 0, resultKept: false, ...rest };
  };
  return {
    clock,
    unreadable,
    records,
    sync(changes: Parameters<typeof recordAt>[0] = {}, tenantId = acme) {
      const record = recordAt(changes);
      records.append(tenantId, record.invocationId, record, nothing);
      return record.invocationId;
    },
    async accepted(changes: Parameters<typeof recordAt>[0] = {}, tenantId = acme) {
      const record = recordAt(changes);
      await queue.finish({ tenantId, functionName: record.functionName as never, invocationId: record.invocationId as InvocationId }, record, nothing);
      return record.invocationId;
    },
    page: (query: Record<string, unknown> = {}) => pages.page(acme, recordPageQuerySchema.parse(query)),
    async every(query: Record<string, unknown> = {}) {
      const all: RecordPage[] = [];
      for (let before: string | undefined, pagesLeft = 1_000; pagesLeft > 0; pagesLeft -= 1) {
        const page = await pages.page(acme, recordPageQuerySchema.parse({ ...query, ...(before !== undefined && { before }) }));
        all.push(page);
        before = page.next;
        if (before === undefined) return all;
      }
      throw new Error("it does not end");
    },
  };
}

const idsOf = (pages: readonly RecordPage[]) => pages.flatMap(({ records }) => records.map(({ invocationId }) => invocationId));

describe("pages of terminal records", () => {
  it("give sync and accepted invocations as one listing, newest first, each once, page after page", async () => {
    const rig = setUp();
    const ids: string[] = [];
    for (let index = 0; index < 60; index += 1) {
      ids.push(index % 3 === 0 ? await rig.accepted() : rig.sync());
      rig.clock.advance(10);
    }
    for (const limit of [1, 7, 30, 60, 200]) {
      const all = await rig.every({ limit });
      expect(idsOf(all)).toEqual(ids.toReversed());
      expect(all.slice(0, -1).every(({ records }) => records.length === limit)).toBe(true);
      expect(all).toHaveLength(Math.ceil(60 / limit));
    }
    expect(await setUp().page()).toEqual({ records: [] });
  });

  it("lose none and repeat none of what ended within the same millisecond, nor of what comes meanwhile", async () => {
    const rig = setUp();
    const ids = Array.from({ length: 40 }, () => rig.sync());
    const first = await rig.page({ limit: 15 });
    rig.sync();
    rig.clock.advance(5);
    await rig.accepted();
    const rest: RecordPage[] = [first];
    for (let next = first.next; next !== undefined; next = rest.at(-1)?.next) rest.push(await rig.page({ limit: 15, before: next }));
    expect(idsOf(rest).toSorted()).toEqual(ids.toSorted());
  });

  it("never part what was stored at one instant: the following page begins before it", async () => {
    const instants = [5, 4, 4, 4, 3].map((second) => instantOf(`2026-11-25T00:00:0${second}Z`));
    const kept = instants.map((storedAt, index) => ({ invocationId: `i${index}`, sequence: 5 - index, storedAt, byteLength: 1, head: recordOf(`i${index}`) }));
    const reader: RecordReader = {
      async *newestFirst({ before }) {
        yield await Promise.resolve(kept.filter(({ storedAt }) => before === undefined || storedAt < before));
      },
    };
    const pages = new RecordPages({ readers: [reader], unreadable: () => undefined });
    const first = await pages.page(acme, recordPageQuerySchema.parse({ limit: 2 }));
    expect([first.records.length, first.next]).toEqual([4, instants[1]]);
    expect((await pages.page(acme, recordPageQuerySchema.parse({ limit: 2, before: first.next }))).records.map(({ invocationId }) => invocationId)).toEqual(["i4"]);
  });

  it("show what was stored late, after an outage, to whoever has read beyond its end", async () => {
    const rig = setUp();
    const finishedAt = rig.clock.date().toISOString();
    rig.clock.advance(60_000);
    const early = rig.sync();
    rig.clock.advance(60_000);
    const late = rig.sync({ finishedAt });
    const last = rig.sync();
    expect(idsOf(await rig.every({ limit: 1 }))).toEqual([last, late, early]);
    expect(idsOf(await rig.every({ limit: 10 }))).toEqual([last, early, late]);
  });

  it("filter by function, outcome, site and agent, in both streams, and keep to the tenant", async () => {
    const rig = setUp();
    const wanted = [rig.sync({ functionName: "rare", outcome: "failed", siteId: "north", agentId: "n1" }), await rig.accepted({ functionName: "rare", outcome: "failed", siteId: "north", agentId: "n1" })].toReversed();
    rig.clock.advance(1);
    for (let index = 0; index < 20; index += 1) await (index % 2 === 0 ? rig.sync() : rig.accepted());
    rig.sync({ functionName: "rare", outcome: "failed", siteId: "north", agentId: "n1" }, "globex" as TenantId);
    for (const filter of [{ function: "rare" }, { outcome: "failed" }, { site: "north" }, { agent: "n1" }, { function: "rare", outcome: "failed", site: "north", agent: "n1" }]) {
      expect(idsOf(await rig.every(filter)).toSorted(), JSON.stringify(filter)).toEqual(wanted.toSorted());
    }
    expect(idsOf(await rig.every({ function: "rare", outcome: "lost" }))).toEqual([]);
  });

  it("come short where a filter matches little, and say how far they looked", async () => {
    const rig = setUp({ records: 10, bytes: 1e9 });
    const id = rig.sync({ outcome: "failed" });
    for (let index = 0; index < 25; index += 1) {
      rig.clock.advance(1);
      rig.sync();
    }
    const all = await rig.every({ outcome: "failed" });
    expect(all.map(({ records }) => records.length)).toEqual([0, 0, 1]);
    expect(idsOf(all)).toEqual([id]);
    expect(all[0]?.next?.slice(0, 23)).toBe(new Date(Date.UTC(2026, 10, 25) + 16).toISOString().slice(0, 23));
    const heavy = setUp({ records: 1e9, bytes: 1 });
    for (let index = 0; index < 3; index += 1) heavy.sync();
    expect((await heavy.every({ outcome: "failed" })).length).toBe(3);
  });

  it("leave out what cannot be read, and tell of it", async () => {
    const rig = setUp();
    const id = rig.sync();
    rig.records.append(acme, createInvocationId(), { written: "by another version" }, nothing);
    rig.records.append(acme, createInvocationId(), null, nothing);
    const other = rig.sync();
    expect(idsOf(await rig.every({ limit: 1 })).toSorted()).toEqual([id, other].toSorted());
    expect(rig.unreadable).toHaveLength(2);
  });

  it("begin where they are told, with any offset, and take times that no server can", async () => {
    const rig = setUp();
    const id = rig.sync();
    rig.clock.advance(3_600_000);
    rig.sync();
    expect(idsOf([await rig.page({ before: "2026-11-25T02:30:00+02:00" })])).toEqual([id]);
    expect(await rig.page({ before: "0001-01-01T00:00:00+14:00" })).toEqual({ records: [] });
    expect((await rig.page({ before: "9999-12-31T23:59:59Z" })).records).toHaveLength(2);
  });
});

import { LongshoreError, type TenantId } from "@longshore/protocol";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import type { Bucket, Store } from "../bus/bus.ts";
import { MemoryStore } from "../bus/testing/memory-store.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import type { RunRequest } from "./run-request.ts";
import { Schedules } from "./schedules.ts";

const acme = "acme" as TenantId;
const settle = () => new Promise((resolve) => setImmediate(resolve));
const nightly = { function: "report", cron: "30 2 * * *", timeZone: "Europe/Berlin", body: "go", contentType: "text/plain", where: { site: "plant" }, maxAgeMs: 60_000 };

async function scene() {
  const clock = new ManualClock(Date.parse("2026-11-28T00:00:00Z"));
  const accepted: RunRequest[] = [];
  const state = { refusal: undefined as LongshoreError | undefined, hold: undefined as Promise<void> | undefined };
  const memory = new MemoryStore();
  const store = {
    async bucket(name: string): Promise<Bucket> {
      const bucket = await memory.bucket(name);
      const get: Bucket["get"] = async (key) => {
        const found = await bucket.get(key);
        if (new TextDecoder().decode(found?.value).includes('"planned"')) await state.hold;
        return found;
      };
      return { ...bucket, get, create: bucket.create.bind(bucket), update: bucket.update.bind(bucket), put: bucket.put.bind(bucket), delete: bucket.delete.bind(bucket), watch: bucket.watch.bind(bucket) };
    },
  } as unknown as Store;
  const start = async (brokerId = "b1", brokers: () => Iterable<string> = () => ["b1"]) => {
    const schedules = new Schedules({
      store, clock, brokerId, brokers,
      log: pino({ level: "silent" }),
      accept: async (run) => {
        await Promise.resolve();
        if (state.refusal !== undefined) throw state.refusal;
        accepted.push(run);
      },
      hasFunction: (tenantId, name) => tenantId === acme && name === "report",
    });
    await schedules.start();
    return schedules;
  };
  const pass = async (ms: number) => {
    clock.advance(ms);
    await settle();
  };
  return { clock, accepted, state, start, pass, schedules: await start() };
}

describe("Schedules", () => {
  it("has an invocation accepted at each due time, as the schedule says", async () => {
    const { schedules, accepted, pass } = await scene();
    const { view, created } = await schedules.set(acme, "nightly", nightly);
    expect(created).toBe(true);
    expect(view).toMatchObject({ name: "nightly", paused: false, missed: "once", bodyBytes: 2, nextAt: "2026-11-28T01:30:00.000Z" });
    await pass(5_399_999);
    expect(accepted).toEqual([]);
    await pass(1);
    expect(accepted).toMatchObject([{ tenantId: acme, functionName: "report", where: { site: "plant" }, maxAgeMs: 60_000 }]);
    expect(new TextDecoder().decode(accepted[0]?.body)).toBe("go");
    expect(accepted[0]?.request).toEqual({ method: "POST", target: "/", headers: [["Content-Type", "text/plain"], ["Longshore-Schedule", "nightly"], ["Longshore-Due", "2026-11-28T01:30:00.000Z"]] });
    expect(schedules.view(acme, "nightly")).toMatchObject({ lastAt: "2026-11-28T01:30:00.000Z", lastInvocationId: accepted[0]?.invocationId, nextAt: "2026-11-29T01:30:00.000Z" });
  });

  it("lets its owner go first, and another one do it when that does not", async () => {
    const { schedules, start, accepted, pass } = await scene();
    schedules.close();
    const waiting = await start("b2", () => ["elsewhere"]);
    await waiting.set(acme, "often", { function: "report", everyMs: 60_000 });
    await pass(64_999);
    expect(accepted).toHaveLength(0);
    await pass(1);
    expect(accepted).toHaveLength(1);
  });

  it("does not run what was removed while its broker was frozen just before its run", async () => {
    const { schedules, state, accepted, clock, pass, start } = await scene();
    await schedules.set(acme, "often", { function: "report", everyMs: 60_000 });
    let thaw!: () => void;
    state.hold = new Promise((resolve) => (thaw = resolve));
    await pass(60_000);
    state.hold = undefined;
    const other = await start("b2");
    await other.remove(acme, "often");
    other.close();
    clock.advance(3_000);
    thaw();
    await settle();
    expect(accepted).toEqual([]);
  });

  it("writes down that its function is gone, and goes on", async () => {
    const { schedules, state, accepted, pass } = await scene();
    await schedules.set(acme, "often", { function: "report", everyMs: 60_000 });
    state.refusal = new LongshoreError("function_not_found", 'Cannot find function "report"');
    await pass(60_000);
    expect(schedules.view(acme, "often")).toMatchObject({ lastAt: "2026-11-28T00:01:00.000Z", lastError: { reason: "function_not_found" } });
    expect(schedules.view(acme, "often").lastInvocationId).toBeUndefined();
    state.refusal = undefined;
    await pass(60_000);
    expect(schedules.view(acme, "often").lastError).toBeUndefined();
    expect(accepted).toHaveLength(1);
  });

  it("tries again what could not be accepted for now", async () => {
    const { schedules, state, accepted, pass } = await scene();
    await schedules.set(acme, "often", { function: "report", everyMs: 60_000 });
    state.refusal = new LongshoreError("store_full", "Cannot store: full");
    await pass(60_000);
    state.refusal = undefined;
    await pass(1_000);
    expect(accepted.map(({ request }) => request.headers.at(-1)?.[1])).toEqual(["2026-11-28T00:01:00.000Z"]);
  });

  it("runs nothing while it is paused, makes nothing of it up, and runs on demand all the same", async () => {
    const { schedules, accepted, pass } = await scene();
    await schedules.set(acme, "often", { function: "report", everyMs: 60_000, missed: "all" });
    expect(await schedules.pause(acme, "often", true)).toMatchObject({ paused: true });
    await pass(600_000);
    const { invocationId } = await schedules.run(acme, "often");
    expect(accepted.map((run) => run.invocationId)).toEqual([invocationId]);
    expect(await schedules.pause(acme, "often", false)).toMatchObject({ paused: false, nextAt: "2026-11-28T00:11:00.000Z" });
    await pass(60_000);
    expect(accepted).toHaveLength(2);
  });

  it("runs once on demand under one key, whoever sends it how often, and refuses the key for another run", async () => {
    const { schedules, accepted, state } = await scene();
    await schedules.set(acme, "often", { function: "report", everyMs: 60_000 });
    const runs = [await schedules.run(acme, "often", "press-1"), await schedules.run(acme, "often", "press-1")];
    expect(runs[1]).toEqual(runs[0]);
    expect(new Set(accepted.map(({ invocationId }) => invocationId))).toEqual(new Set([runs[0]?.invocationId]));
    expect(await schedules.run(acme, "often", "press-2")).not.toEqual(runs[0]);
    state.refusal = new LongshoreError("invocation_exists", "Cannot accept");
    await expect(schedules.run(acme, "often", "press-1")).rejects.toMatchObject({ reason: "idempotency_mismatch", field: "Idempotency-Key", message: expect.stringContaining(runs[0]?.invocationId ?? "?") as string });
    await expect(schedules.run(acme, "often")).rejects.toMatchObject({ reason: "invocation_exists" });
  });

  it("makes up what came due while no broker was there", async () => {
    const { schedules, start, accepted, pass } = await scene();
    await schedules.set(acme, "often", { function: "report", everyMs: 60_000, missed: "all" });
    schedules.close();
    await pass(600_000);
    await start();
    await pass(0);
    await settle();
    expect(new Set(accepted.map(({ invocationId }) => invocationId)).size).toBe(10);
  });

  it("lists a tenant's own, by name and in pages, without bodies", async () => {
    const { schedules } = await scene();
    for (const name of ["c", "a", "b"]) await schedules.set(acme, name, nightly);
    const { schedules: page, next } = schedules.page(acme, { limit: 2 });
    expect(page.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(page[0]?.body).toBeUndefined();
    expect(next).toBe("b");
    expect(schedules.page("other" as TenantId, { limit: 2 }).schedules).toEqual([]);
    expect(schedules.view(acme, "a").body).toBe("go");
    expect(() => schedules.view("other" as TenantId, "a")).toThrow(expect.objectContaining({ reason: "schedule_not_found" }));
  });

  it("changes one in place", async () => {
    const { schedules } = await scene();
    await schedules.set(acme, "nightly", nightly);
    const { view, created } = await schedules.set(acme, "nightly", { ...nightly, body: "longer" });
    expect({ created, bodyBytes: view.bodyBytes }).toEqual({ created: false, bodyBytes: 6 });
  });

  it("refuses what it cannot keep, naming it", async () => {
    const { schedules } = await scene();
    await expect(schedules.set(acme, "a.b", nightly)).rejects.toMatchObject({ reason: "bad_name", field: "schedule" });
    await expect(schedules.set(acme, "a", { ...nightly, name: "b" })).rejects.toMatchObject({ reason: "bad_name", field: "name" });
    await expect(schedules.set(acme, "a", { ...nightly, cron: "0 25 * * *" })).rejects.toMatchObject({ reason: "bad_schema", field: "cron" });
    await expect(schedules.set(acme, "a", [])).rejects.toMatchObject({ reason: "bad_schema", field: "body" });
    await expect(schedules.set(acme, "a", { ...nightly, function: "other" })).rejects.toMatchObject({ reason: "function_not_found" });
    for (const call of [() => schedules.remove(acme, "a"), () => schedules.pause(acme, "a", true), () => schedules.run(acme, "a")]) await expect(call()).rejects.toMatchObject({ reason: "schedule_not_found" });
  });

  it("leaves nothing running when it is closed", async () => {
    const { schedules, clock } = await scene();
    await schedules.set(acme, "nightly", nightly);
    schedules.close();
    expect(clock.pending).toBe(0);
  });
});

import type { TenantId } from "@longshore/protocol";
import { pino } from "pino";
import { afterEach, describe, expect, it } from "vitest";
import { MemoryStore } from "../bus/testing/memory-store.ts";
import { Schedules } from "../schedules/schedules.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { type HttpRig, startHttpRig } from "./testing/http-rig.ts";

let rig: HttpRig;
let schedules: Schedules;
afterEach(async () => {
  schedules.close();
  await rig.close();
});

async function start() {
  schedules = new Schedules({
    store: new MemoryStore(), clock: new ManualClock(), log: pino({ level: "silent" }), brokerId: "b1", brokers: () => ["b1"],
    accept: async () => undefined,
    hasFunction: (_: TenantId, name) => name === "report",
  });
  await schedules.start();
  rig = await startHttpRig({}, { parts: { schedules } });
}
const send = async (method: string, path: string, body?: unknown) => {
  const answer = await rig.send({ method, path, ...(body !== undefined && { body: JSON.stringify(body) }) });
  return { status: answer.status, document: answer.body.length === 0 ? undefined : answer.json() };
};

describe("/v1/schedules", () => {
  it("is set, read, listed, paused, resumed, run and removed", async () => {
    await start();
    const document = { function: "report", cron: "0 3 * * *", timeZone: "Europe/Berlin" };
    expect(await send("PUT", "/v1/schedules/nightly", document)).toMatchObject({ status: 201, document: { name: "nightly", nextAt: "2026-11-25T02:00:00.000Z" } });
    expect(await send("PUT", "/v1/schedules/nightly", document)).toMatchObject({ status: 200 });
    expect(await send("GET", "/v1/schedules/nightly")).toMatchObject({ status: 200, document });
    expect(await send("GET", "/v1/schedules?limit=1")).toMatchObject({ status: 200, document: { schedules: [{ name: "nightly" }] } });
    expect(await send("POST", "/v1/schedules/nightly/pause")).toMatchObject({ status: 200, document: { paused: true } });
    expect(await send("POST", "/v1/schedules/nightly/resume")).toMatchObject({ status: 200, document: { paused: false } });
    expect(await send("POST", "/v1/schedules/nightly/run")).toMatchObject({ status: 202, document: { invocationId: expect.any(String) as string } });
    expect(await send("DELETE", "/v1/schedules/nightly")).toMatchObject({ status: 204 });
    expect(await send("GET", "/v1/schedules/nightly")).toMatchObject({ status: 404, document: { reason: "schedule_not_found" } });
  });

  it("is run once under an Idempotency-Key, which is checked", async () => {
    await start();
    await send("PUT", "/v1/schedules/nightly", { function: "report", everyMs: 5_000 });
    const press = async (key: string) => (await rig.send({ method: "POST", path: "/v1/schedules/nightly/run", headers: { "Idempotency-Key": key } })).json();
    expect(await press("one")).toEqual(await press("one"));
    expect(await press("two")).not.toEqual(await press("one"));
    expect(await press("two words")).toMatchObject({ reason: "bad_header", field: "Idempotency-Key" });
  });

  it("refuses what is wrong, naming it", async () => {
    await start();
    expect(await send("PUT", "/v1/schedules/a.b", { function: "report", everyMs: 5000 })).toMatchObject({ status: 400, document: { reason: "bad_name", field: "schedule" } });
    expect(await send("PUT", "/v1/schedules/a", { function: "report", everyMs: 5 })).toMatchObject({ status: 400, document: { field: "everyMs" } });
    expect(await send("PUT", "/v1/schedules/a", { function: "report", cron: "* * * *" })).toMatchObject({ status: 400, document: { field: "cron" } });
    expect(await send("PUT", "/v1/schedules/a", { function: "none", everyMs: 5000 })).toMatchObject({ status: 404, document: { reason: "function_not_found" } });
    expect(await send("GET", "/v1/schedules?limit=0")).toMatchObject({ status: 400, document: { field: "limit" } });
  });
});

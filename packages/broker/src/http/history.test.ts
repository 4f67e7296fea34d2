import type { HistoryQuery } from "@longshore/protocol";
import { afterEach, describe, expect, it } from "vitest";
import { goodKey, type HttpRig, startHttpRig } from "./testing/http-rig.ts";

let rig: HttpRig;
afterEach(() => rig.close());

const asked: [string, HistoryQuery][] = [];
const start = async () => {
  rig = await startHttpRig({}, { parts: { history: { read: (tenantId, query) => (asked.push([tenantId, query]), { fromMs: 0, untilMs: 1, stepMs: 10_000, functions: [] }) } } });
};

describe("GET /v1/history", () => {
  it("asks for what its query names, of the caller's tenant", async () => {
    await start();
    expect((await rig.send({ path: "/v1/history?function=resize&lastMs=60000", headers: { authorization: `Bearer ${goodKey}` } })).json()).toEqual({ fromMs: 0, untilMs: 1, stepMs: 10_000, functions: [] });
    await rig.send({ path: "/v1/history" });
    expect(asked).toEqual([["acme", { function: "resize", lastMs: 60_000 }], ["default", { lastMs: 3_600_000 }]]);
  });

  it.each([["lastMs=0", "lastMs"], ["lastMs=604800001", "lastMs"], ["lastMs=-1", "lastMs"], ["lastMs=NaN", "lastMs"], ["function=a.*", "function"], ["step=1", "step"]])("refuses %s, naming the parameter", async (query, field) => {
    await start();
    expect((await rig.send({ path: `/v1/history?${query}` })).json()).toMatchObject({ status: 400, reason: "bad_schema", field: expect.stringContaining(field) });
  });
});

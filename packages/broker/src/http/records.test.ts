import type { RecordPageQuery } from "@longshore/protocol";
import { afterEach, describe, expect, it } from "vitest";
import { goodKey, type HttpRig, startHttpRig } from "./testing/http-rig.ts";

let rig: HttpRig;
afterEach(() => rig.close());

describe("GET /v1/records", () => {
  it("asks for what its query names, of the caller's tenant", async () => {
    const asked: [string, RecordPageQuery][] = [];
    rig = await startHttpRig({}, { parts: { records: { page: (tenantId, query) => (asked.push([tenantId, query]), Promise.resolve({ records: [], next: "2026-11-28T20:04:01.000000001Z" })) } } });
    const answer = await rig.send({ path: "/v1/records?function=resize&outcome=failed&site=plant&agent=a1&before=2026-11-28T20:04:01.5%2B01:00&limit=7", headers: { authorization: `Bearer ${goodKey}` } });
    expect(answer.json()).toEqual({ records: [], next: "2026-11-28T20:04:01.000000001Z" });
    await rig.send({ path: "/v1/records" });
    expect(asked).toEqual([
      ["acme", { function: "resize", outcome: "failed", site: "plant", agent: "a1", before: "2026-11-28T20:04:01.5+01:00", limit: 7 }],
      ["default", { limit: 50 }],
    ]);
  });

  it.each([["limit=0", "limit"], ["limit=201", "limit"], ["limit=ten", "limit"], ["outcome=fine", "outcome"], ["function=No%20Such", "function"], ["site=a.*", "site"], ["agent=%00", "agent"], ["before=yesterday", "before"], ["before=2026-13-40T00:00:00Z", "before"], ["page=2", "page"]])("refuses %s, naming the parameter", async (query, field) => {
    rig = await startHttpRig({}, { parts: { records: { page: () => Promise.resolve({ records: [] }) } } });
    const answer = await rig.send({ path: `/v1/records?${query}` });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ reason: "bad_schema", field: expect.stringContaining(field) });
  });
});

import { type Fleet, LongshoreError } from "@longshore/sdk";
import { expect, it } from "vitest";
import { recordOf } from "../testing/views.ts";
import { newestOf, newestRecords, readRecords } from "./record-source.ts";

const fleetWith = (page: (query: { limit?: number; before?: string }) => Promise<unknown>) => ({ records: { page } }) as unknown as Fleet;
const failing = (reason: "route_not_found" | "bus_down") => fleetWith(() => Promise.reject(new LongshoreError(reason, "no")));
const record = (invocationId: string) => recordOf({ invocationId });

it("reads a page of records, does without where the broker knows none, and hides no other error", async () => {
  expect(await readRecords(fleetWith(async () => ({ records: [], next: "n" })), {})).toEqual({ records: [], next: "n" });
  expect([await readRecords(failing("route_not_found"), {}), await newestRecords(failing("route_not_found"), { limit: 3 })]).toEqual([undefined, []]);
  await expect(readRecords(failing("bus_down"), {})).rejects.toMatchObject({ reason: "bus_down" });
});

it("goes on behind pages that are short, until there are enough or no more", async () => {
  const pages = [{ records: [record("3")], next: "b" }, { records: [], next: "c" }, { records: [record("2"), record("1")] }];
  const asked: unknown[] = [];
  const found = await newestRecords(fleetWith(async ({ limit, before }) => (asked.push([limit, before]), pages[asked.length - 1])), { limit: 5 });
  expect(found.map(({ invocationId }) => invocationId)).toEqual(["3", "2", "1"]);
  expect(asked).toEqual([[5, undefined], [4, "b"], [4, "c"]]);
});

it("asks no more than a few times for what lies far apart", async () => {
  let asked = 0;
  expect(await newestRecords(fleetWith(async () => ((asked += 1), { records: [], next: "again" })), { limit: 5 })).toEqual([]);
  expect(asked).toBe(4);
});

it("puts what the page was told and what it asked for together, newest first, each once", () => {
  const at = (invocationId: string, second: string, outcome: "succeeded" | "failed" = "succeeded") => recordOf({ invocationId, finishedAt: `2026-11-28T20:00:${second}.000Z`, result: { outcome } });
  const found = newestOf([at("3", "30", "failed"), at("1", "10")], [at("3", "30"), at("2", "20"), at("0", "05")], 3);
  expect(found.map(({ invocationId, result }) => `${invocationId} ${result.outcome}`)).toEqual(["3 failed", "2 succeeded", "1 succeeded"]);
});

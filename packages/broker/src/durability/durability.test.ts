import { describe, expect, it } from "vitest";
import { durabilityOf, isEveryServerHeard, nextDurability } from "./durability.ts";
import type { ServerReport } from "./server-report.ts";

const stream = { storage: "file", persistMode: "default" };
const server = (serverId: string, report: Partial<ServerReport> = {}): ServerReport => ({ serverId, storesStreams: true, syncsAlways: true, clusterSize: 1, stream: undefined, ...report });
const cluster = (...syncs: (boolean | undefined)[]) => syncs.map((syncsAlways, index) => server(`n${index}`, { syncsAlways, clusterSize: 3, ...(index === 0 && { stream }) }));
const stateOf = (reports: readonly ServerReport[], silent = 0) => durabilityOf({ reports, silent }).state;

describe("durabilityOf()", () => {
  it("is verified when every server that stores syncs and one holds the stream on file", () => {
    expect(stateOf([server("a", { stream })])).toBe("verified");
    expect(stateOf(cluster(true, true, true))).toBe("verified");
  });

  it("asks nothing of servers without JetStream", () => {
    expect(stateOf([server("a", { stream }), server("b", { storesStreams: false, syncsAlways: undefined })])).toBe("verified");
  });

  it("is not durable when one server does not sync, whatever the others say or do not say", () => {
    expect(stateOf([server("a", { stream, syncsAlways: false })])).toBe("not_durable");
    expect(stateOf(cluster(true, true, false))).toBe("not_durable");
    expect(stateOf(cluster(undefined, false), 1)).toBe("not_durable");
  });

  it("is not durable when the stream is in memory, or acknowledged before it is written", () => {
    expect(stateOf([server("a", { stream: { storage: "memory", persistMode: "default" } })])).toBe("not_durable");
    expect(stateOf([server("a", { stream: { storage: "file", persistMode: "async" } })])).toBe("not_durable");
  });

  it("is assumed when nobody said anything, or not how they store", () => {
    expect(stateOf([])).toBe("assumed");
    expect(stateOf([], 2)).toBe("assumed");
    expect(stateOf([server("a", { stream, syncsAlways: undefined })])).toBe("assumed");
    expect(stateOf([server("a", { storesStreams: false, syncsAlways: undefined })])).toBe("assumed");
  });

  it("is assumed while a server of the cluster is away, silent, or left out of those that are asked", () => {
    expect(stateOf(cluster(true, true))).toBe("assumed");
    expect(stateOf(cluster(true, true, undefined))).toBe("assumed");
    expect(stateOf([server("a", { stream })], 1)).toBe("assumed");
  });

  it("counts a server once that was asked under two addresses", () => {
    const [first, second] = cluster(true, true);
    expect(stateOf([first, second, second].filter((report) => report !== undefined))).toBe("assumed");
  });

  it("is assumed when the servers that were asked hold no stream of this fleet", () => {
    expect(stateOf([server("a")])).toBe("assumed");
  });

  it("says how to mend whatever is not verified", () => {
    const looks = [cluster(true, false, true), cluster(true, true), [], [server("a")], [server("a", { stream: { storage: "memory", persistMode: "default" } })]];
    expect(looks.map((reports) => durabilityOf({ reports, silent: 0 })).filter(({ mend }) => mend === undefined)).toEqual([]);
    expect(durabilityOf({ reports: cluster(true, false, true), silent: 0 }).mend).toContain("sync_interval: always");
  });
});

describe("nextDurability()", () => {
  const view = (state: "verified" | "assumed" | "not_durable") => ({ state, detail: state });

  it("keeps what was seen not to be durable until it is seen to be", () => {
    expect(nextDurability(view("not_durable"), view("assumed")).state).toBe("not_durable");
    expect(nextDurability(view("not_durable"), view("verified")).state).toBe("verified");
  });

  it("does not keep what was verified once nobody says so any more", () => {
    expect(nextDurability(view("verified"), view("assumed")).state).toBe("assumed");
    expect(nextDurability(view("verified"), view("not_durable")).state).toBe("not_durable");
  });
});

describe("isEveryServerHeard()", () => {
  it("waits for as many as store together, and not for those that do not", () => {
    expect(isEveryServerHeard([])).toBe(false);
    expect(isEveryServerHeard([server("b", { storesStreams: false })])).toBe(false);
    expect(isEveryServerHeard(cluster(true, true))).toBe(false);
    expect(isEveryServerHeard(cluster(true, true, true))).toBe(true);
    expect(isEveryServerHeard([server("a")])).toBe(true);
  });
});

import { describe, expect, it } from "vitest";
import { readServerReport } from "./server-report.ts";

/** As nats-server 2.15.1 writes it, without what is not read. */
const document = {
  server_id: "NDG32WOO",
  config: { max_memory: 1, max_storage: 1, store_dir: "/s/jetstream", sync_interval: 120_000_000_000, sync_always: true, strict: true },
  streams: 2,
  account_details: [
    { name: "core", id: "ACORE", stream_detail: [{ name: "sync-records", config: { storage: "memory" } }, { name: "queue", config: { storage: "file", num_replicas: 1 } }] },
    { name: "other", id: "AOTHER", stream_detail: [{ name: "queue", config: { storage: "memory" } }] },
  ],
};
const { sync_always: _, ...unsynced } = document.config;
const name = { accountKey: "ACORE", stream: "queue" };

describe("readServerReport()", () => {
  it("reads whether a server syncs, and the stream of the account that was asked for", () => {
    expect(readServerReport(document, name)).toEqual({ serverId: "NDG32WOO", storesStreams: true, syncsAlways: true, clusterSize: 1, stream: { storage: "file", persistMode: "default" } });
  });

  it("reads an absent sync_always as no, and knows nothing where the interval is absent too", () => {
    expect(readServerReport({ ...document, config: unsynced }, name).syncsAlways).toBe(false);
    expect(readServerReport({ ...document, config: {} }, name).syncsAlways).toBeUndefined();
  });

  it("reads how many servers store together", () => {
    expect(readServerReport({ ...document, meta_cluster: { name: "C", leader: "n2", cluster_size: 3 } }, name).clusterSize).toBe(3);
  });

  it("reads a server without JetStream, and one without the account", () => {
    const disabled = { server_id: "N", disabled: true, config: { max_memory: 0, max_storage: 0 } };
    expect(readServerReport(disabled, name)).toMatchObject({ storesStreams: false, syncsAlways: undefined, stream: undefined });
    expect(readServerReport(document, { ...name, accountKey: "AELSE" }).stream).toBeUndefined();
  });

  it.each([[undefined], [[]], [{}], [{ ...document, server_id: 7 }], [{ ...document, config: { sync_always: "yes" } }], [{ error: { code: 400 } }]])("refuses %j", (other) => {
    expect(() => readServerReport(other, name)).toThrow(expect.objectContaining({ name: "ZodError" }));
  });
});

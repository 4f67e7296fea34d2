import type { FunctionName, LongshoreError, TenantId } from "@longshore/protocol";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { describe, expect, it, onTestFinished } from "vitest";
import { MemoryStore } from "../bus/testing/memory-store.ts";
import { functionView } from "./function-view.ts";
import { type FunctionChange, Registry } from "./registry.ts";
import { testDefinition } from "./testing/revision.ts";

const log = pino({ level: "silent" });
const acme = "acme" as TenantId;
const resize = "resize" as FunctionName;
const at = new Date(0);

async function started(store: MemoryStore, sealKeyFile?: string): Promise<Registry> {
  const registry = new Registry({ store, sealKeyFile, log });
  await registry.start();
  onTestFinished(() => registry.close());
  return registry;
}

/** Changes of other brokers arrive a little later. */
const arrives = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("a deploy", () => {
  it("makes the first revision, and another only when something changed", async () => {
    const registry = await started(new MemoryStore());
    expect(await registry.put(testDefinition(), at)).toMatchObject({ created: true, changed: true, revision: { revision: 1, revisionId: "resize-r1" } });
    expect(await registry.put(testDefinition(), at)).toMatchObject({ created: false, changed: false, revision: { revision: 1 } });
    const changes = [{ env: { A: "1" } }, { env: { A: "2" } }, { env: { A: "2" }, secrets: { S: "1" } }, { env: { A: "2" }, secrets: { S: "2" } }, { memoryBytes: 2 ** 29 }];
    for (const [index, document] of changes.entries()) {
      expect(await registry.put(testDefinition({ document }), at)).toMatchObject({ created: false, changed: true, revision: { revision: index + 2 } });
    }
    expect(await registry.put(testDefinition({ document: { memoryBytes: 2 ** 29 }, image: { digest: `sha256:${"b".repeat(64)}` } }), at)).toMatchObject({ changed: true });
    expect(registry.revisions(acme, resize).map(({ revision }) => revision)).toEqual([7, 6, 5, 4, 3, 2, 1]);
  });

  it("does not take another order of the same fields for a change", async () => {
    const registry = await started(new MemoryStore());
    await registry.put(testDefinition({ document: { env: { A: "1", B: "2" } } }), at);
    expect(await registry.put(testDefinition({ document: { env: { B: "2", A: "1" } } }), at)).toMatchObject({ changed: false });
  });

  it("that another one overtook is told so, and can be repeated", async () => {
    const store = new MemoryStore();
    const registries = await Promise.all([started(store), started(store), started(store)]);
    const outcomes = await Promise.allSettled(registries.map((registry, index) => registry.put(testDefinition({ document: { env: { A: String(index) } } }), at)));
    const refused = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(refused.map(({ reason }) => (reason as LongshoreError).reason)).toEqual(["revision_conflict", "revision_conflict"]);
    const second = await Promise.allSettled(registries.slice(1).map((registry, index) => registry.put(testDefinition({ document: { env: { A: `again ${index}` } } }), at)));
    expect(second.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });

  it("does not look at another tenant's function of that name", async () => {
    const registry = await started(new MemoryStore());
    await registry.put(testDefinition(), at);
    expect(await registry.put(testDefinition({ tenantId: "other" }), at)).toMatchObject({ created: true, revision: { revision: 1 } });
    expect(registry.list(acme)).toHaveLength(1);
    expect(registry.find(acme, resize)?.digest).not.toBe(registry.find("other" as TenantId, resize)?.digest);
  });

  it("is refused when no message could carry it", async () => {
    const registry = await started(new MemoryStore());
    await expect(registry.put(testDefinition({ document: { env: { A: "x".repeat(100_000), B: "x".repeat(50_000) } } }), at)).rejects.toMatchObject({ reason: "payload_too_large" });
  });

  it("keeps the last twenty revisions, fewer where they are large", async () => {
    const registry = await started(new MemoryStore());
    for (let number = 1; number <= 25; number += 1) await registry.put(testDefinition({ document: { env: { A: String(number) } } }), at);
    expect(registry.revisions(acme, resize).map(({ revision }) => revision)).toEqual(Array.from({ length: 20 }, (_, index) => 25 - index));
    for (let number = 1; number <= 12; number += 1) await registry.put(testDefinition({ document: { name: "large", env: { A: `${number}${"x".repeat(100_000)}` } } }), at);
    expect(registry.revisions(acme, "large" as FunctionName)).toHaveLength(7);
  });
});

describe("a removal", () => {
  it("takes the function away and keeps its numbers", async () => {
    const registry = await started(new MemoryStore());
    const { revision } = await registry.put(testDefinition(), at);
    await registry.remove(acme, resize);
    expect(registry.find(acme, resize)).toBeUndefined();
    expect(registry.current(revision.digest)).toBeUndefined();
    expect(() => registry.revisions(acme, resize)).toThrow(expect.objectContaining({ reason: "function_not_found" }));
    await expect(registry.remove(acme, resize)).rejects.toMatchObject({ reason: "function_not_found" });
    const again = await registry.put(testDefinition(), at);
    expect(again).toMatchObject({ created: true, changed: true, revision: { revision: 2 } });
    expect(again.revision.digest).not.toBe(revision.digest);
  });

  it("of another tenant's function is of one that is not there", async () => {
    const registry = await started(new MemoryStore());
    await registry.put(testDefinition(), at);
    await expect(registry.remove("other" as TenantId, resize)).rejects.toMatchObject({ reason: "function_not_found" });
  });
});

describe("another broker on the same store", () => {
  it("sees what stands and every change, and says so once", async () => {
    const store = new MemoryStore();
    const one = await started(store);
    await one.put(testDefinition(), at);
    const other = await started(store);
    expect(other.find(acme, resize)?.revision).toBe(1);
    const told: FunctionChange[] = [];
    other.onChange((change) => told.push(change));
    await one.put(testDefinition({ document: { env: { A: "1" } } }), at);
    await arrives();
    expect(other.find(acme, resize)).toMatchObject({ revision: 2, spec: { env: { A: "1" } } });
    await one.remove(acme, resize);
    await arrives();
    expect(other.list()).toEqual([]);
    expect(told.map(({ before, after }) => [before?.revision, after?.revision])).toEqual([[1, 2], [2, undefined]]);
  });

  it("tells of its own changes once as well", async () => {
    const one = await started(new MemoryStore());
    const told: FunctionChange[] = [];
    one.onChange((change) => told.push(change));
    await one.put(testDefinition(), at);
    await one.put(testDefinition(), at);
    await arrives();
    expect(told).toHaveLength(1);
  });
});

describe("a function's secrets", () => {
  const secret = "hunter2-and-more";
  const definition = testDefinition({ document: { secrets: { PASSWORD: secret } } });
  const atRest = async (store: MemoryStore) => Buffer.from((await (await store.bucket("functions")).get("acme.resize"))?.value ?? []).toString();

  it("are sealed at rest, and whole for every broker of the fleet", async () => {
    const store = new MemoryStore();
    const one = await started(store);
    await one.put(definition, at);
    expect(await atRest(store)).toContain('"sealedSecrets"');
    expect(await atRest(store)).not.toContain(secret);
    const other = await started(store);
    expect(other.find(acme, resize)?.spec.secrets).toEqual({ PASSWORD: secret });
  });

  it("are in no view but by name", async () => {
    const registry = await started(new MemoryStore());
    const { revision } = await registry.put(definition, at);
    const view = functionView(revision);
    expect(view.secretNames).toEqual(["PASSWORD"]);
    expect(JSON.stringify(view)).not.toContain(secret);
  });

  it("can be sealed with a key that is not on the bus; another one opens nothing, and leaves the others be", async () => {
    const folder = mkdtempSync(join(tmpdir(), "longshore-seal-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [right, wrong, short] = ["right", "wrong", "short"].map((name) => join(folder, name)) as [string, string, string];
    writeFileSync(right, `${Buffer.alloc(32, 1).toString("base64")}\n`);
    writeFileSync(wrong, Buffer.alloc(32, 2).toString("base64"));
    writeFileSync(short, Buffer.alloc(31, 2).toString("base64"));
    const store = new MemoryStore();
    const one = await started(store, right);
    await one.put(definition, at);
    await one.put(testDefinition({ document: { name: "plain" } }), at);
    expect((await started(store, right)).find(acme, resize)?.spec.secrets).toEqual({ PASSWORD: secret });
    expect((await started(store, wrong)).list().map(({ functionName }) => functionName)).toEqual(["plain"]);
    await expect(started(store, short)).rejects.toMatchObject({ reason: "bad_schema", field: "sealKeyFile" });
    await expect(started(store, join(folder, "none"))).rejects.toMatchObject({ reason: "bad_schema", field: "sealKeyFile" });
    expect(await (await store.bucket("seal-keys")).get("functions")).toBeUndefined();
  });

  it("have one key, whichever of many brokers makes it", async () => {
    const store = new MemoryStore();
    const registries = await Promise.all([started(store), started(store), started(store)]);
    await registries[0].put(definition, at);
    await arrives();
    for (const registry of registries) expect(registry.find(acme, resize)?.spec.secrets).toEqual({ PASSWORD: secret });
  });
});

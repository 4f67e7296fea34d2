import type { TenantId } from "@longshore/protocol";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { MemoryStore } from "../bus/testing/memory-store.ts";
import { startHttpRig } from "../http/testing/http-rig.ts";
import { KeyPairs } from "./key-pairs.ts";

const [acme, other] = ["acme" as TenantId, "other" as TenantId];
const at = new Date(Date.UTC(2026, 10, 25));

async function started(store = new MemoryStore()) {
  const keyPairs = new KeyPairs({ store, log: pino({ level: "silent" }) });
  await keyPairs.start();
  return { keyPairs, store };
}

describe("AWS key pairs", () => {
  it("are in AWS's own form, each another, and known to every broker", async () => {
    const { keyPairs, store } = await started();
    const made = await keyPairs.create(acme, at);
    expect(made).toEqual({ accessKeyId: expect.stringMatching(/^LSAK[A-Z2-7]{16}$/), secretAccessKey: expect.stringMatching(/^[\w-]{40}$/), createdAt: at.toISOString() });
    expect(await keyPairs.create(acme, at)).not.toEqual(made);
    const { keyPairs: second } = await started(store);
    expect(second.find(made.accessKeyId)).toEqual({ tenantId: "acme", secretAccessKey: made.secretAccessKey });
    expect(second.find("LSAKAAAAAAAAAAAAAAAA")).toBeUndefined();
    expect(second.find("../other")).toBeUndefined();
  });

  it("are kept under seal, open for their tenant only, and listed without secrets", async () => {
    const { keyPairs, store } = await started();
    const { accessKeyId, secretAccessKey } = await keyPairs.create(acme, at);
    expect(keyPairs.list(acme)).toEqual([{ accessKeyId, createdAt: at.toISOString() }]);
    expect(keyPairs.list(other)).toEqual([]);
    const bucket = await store.bucket("aws-keys");
    const stored = Buffer.from((await bucket.get(accessKeyId))?.value ?? []).toString();
    expect(stored).not.toContain(secretAccessKey);
    await bucket.put(accessKeyId, Buffer.from(JSON.stringify({ ...(JSON.parse(stored) as object), tenantId: "other" })));
    const { keyPairs: second } = await started(store);
    expect(second.find(accessKeyId)).toBeUndefined();
  });

  it("are worth nothing once deleted, and deleted by their tenant only", async () => {
    const { keyPairs } = await started();
    const { accessKeyId } = await keyPairs.create(acme, at);
    await expect(keyPairs.remove(other, accessKeyId)).rejects.toMatchObject({ reason: "aws_key_not_found" });
    await keyPairs.remove(acme, accessKeyId);
    expect(keyPairs.find(accessKeyId)).toBeUndefined();
    await expect(keyPairs.remove(acme, accessKeyId)).rejects.toMatchObject({ reason: "aws_key_not_found" });
  });

  it("are limited in number", async () => {
    const { keyPairs } = await started();
    for (let count = 0; count < 100; count += 1) await keyPairs.create(acme, at);
    await expect(keyPairs.create(acme, at)).rejects.toMatchObject({ reason: "quota" });
    await keyPairs.create(other, at);
  });

  it("are made, listed and deleted over HTTP", async () => {
    const { keyPairs } = await started();
    const awsKeys = { list: (tenant: TenantId) => keyPairs.list(tenant), create: (tenant: TenantId) => keyPairs.create(tenant, at), remove: (tenant: TenantId, id: string) => keyPairs.remove(tenant, id) };
    const rig = await startHttpRig({}, { parts: { awsKeys } });
    const made = await rig.send({ method: "POST", path: "/v1/aws-keys" });
    expect(made.status).toBe(201);
    const { accessKeyId } = made.json();
    expect((await rig.send({ path: "/v1/aws-keys" })).json()).toEqual({ awsKeys: [{ accessKeyId, createdAt: at.toISOString() }] });
    expect((await rig.send({ method: "DELETE", path: `/v1/aws-keys/${String(accessKeyId)}` })).status).toBe(204);
    expect((await rig.send({ method: "DELETE", path: `/v1/aws-keys/${String(accessKeyId)}` })).status).toBe(404);
    await rig.close();
  });
});

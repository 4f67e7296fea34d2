import { type TenantId, webhookKeyOf } from "@longshore/protocol";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { MemoryStore } from "../bus/testing/memory-store.ts";
import { startHttpRig } from "../http/testing/http-rig.ts";
import { signingSecrets } from "./signing-secrets.ts";
import { rotationMs, WebhookSecrets } from "./webhook-secrets.ts";

const [acme, other] = ["acme" as TenantId, "other" as TenantId];
const startMs = Date.UTC(2026, 10, 28);
const after = (ms: number) => new Date(startMs + ms);

async function started(store = new MemoryStore()) {
  const secrets = new WebhookSecrets({ store, log: pino({ level: "silent" }) });
  await secrets.start();
  return { secrets, store };
}

describe("webhook secrets", () => {
  it("are made when they are first asked for, one for each tenant, the same at every broker", async () => {
    const { secrets, store } = await started();
    const { secrets: second } = await started(store);
    const [one, two] = await Promise.all([secrets.show(acme, after(0)), second.show(acme, after(0))]);
    expect(webhookKeyOf(one.secret)).toHaveLength(32);
    expect(two).toEqual(one);
    expect(await secrets.signing(acme, after(5))).toEqual([one.secret]);
    expect((await secrets.show(other, after(0))).secret).not.toBe(one.secret);
  });

  it("sign beside a fresh one for 24 hours, and no longer", async () => {
    const { secrets, store } = await started();
    const { secret: old } = await secrets.show(acme, after(0));
    const fresh = await secrets.rotate(acme, after(1_000));
    expect(fresh).toEqual({ secret: expect.not.stringMatching(old), createdAt: after(1_000).toISOString(), previousUntil: after(1_000 + rotationMs).toISOString() });
    const { secrets: second } = await started(store);
    expect(await second.signing(acme, after(1_000 + rotationMs - 1))).toEqual([fresh.secret, old]);
    expect(await second.signing(acme, after(1_000 + rotationMs))).toEqual([fresh.secret]);
    expect(await second.show(acme, after(1_000 + rotationMs))).toEqual({ secret: fresh.secret, createdAt: fresh.createdAt });
  });

  it("all count that were replaced in a day, up to four", async () => {
    const { secrets } = await started();
    const made = [(await secrets.show(acme, after(0))).secret];
    for (let count = 1; count <= 5; count += 1) made.unshift((await secrets.rotate(acme, after(count))).secret);
    expect(await secrets.signing(acme, after(6))).toEqual(made.slice(0, 5));
    const last = await secrets.rotate(acme, after(2 * rotationMs));
    expect(await secrets.signing(acme, after(2 * rotationMs))).toEqual([last.secret, made[0]]);
  });

  it("are made by a rotation as well", async () => {
    const { secrets } = await started();
    const { secret, previousUntil } = await secrets.rotate(acme, after(0));
    expect(await secrets.signing(acme, after(0))).toEqual([secret]);
    expect(previousUntil).toBeUndefined();
  });

  it("are kept under seal, and open for their own tenant only", async () => {
    const { secrets, store } = await started();
    const { secret } = await secrets.show(acme, after(0));
    await secrets.rotate(acme, after(1));
    const bucket = await store.bucket("webhook-secrets");
    const stored = Buffer.from((await bucket.get("acme"))?.value ?? []).toString();
    expect(stored).not.toContain("whsec_");
    expect(stored).not.toContain(secret.slice(6));
    await bucket.put("other", Buffer.from(JSON.stringify({ ...(JSON.parse(stored) as object), tenantId: "other" })));
    const { secrets: second } = await started(store);
    await expect(second.signing(other, after(2))).rejects.toMatchObject({ reason: "unexpected" });
  });

  it("are shown and rotated over HTTP", async () => {
    const { secrets } = await started();
    const webhookSecret = { show: (tenant: TenantId) => secrets.show(tenant, after(0)), rotate: (tenant: TenantId) => secrets.rotate(tenant, after(1)) };
    const rig = await startHttpRig({}, { parts: { webhookSecret }, trustsLoopback: false });
    const headers = { authorization: "Bearer lsk_good" };
    const first = await rig.send({ path: "/v1/webhook-secret", headers });
    expect([first.status, first.json()]).toEqual([200, await secrets.show(acme, after(0))]);
    const rotated = await rig.send({ method: "POST", path: "/v1/webhook-secret/rotate", headers });
    expect(rotated.status).toBe(200);
    expect(await secrets.signing(acme, after(2))).toEqual([rotated.json()["secret"], first.json()["secret"]]);
    expect((await rig.send({ path: "/v1/webhook-secret" })).status).toBe(401);
    await rig.close();
  });
});

describe("signingSecrets()", () => {
  const own = `whsec_${"A".repeat(32)}`;

  it("are the tenant's, unless the destination names one of the function's", () => {
    expect(signingSecrets({ url: "https://a" }, { HOOK: own }, ["whsec_tenant"])).toEqual(["whsec_tenant"]);
    expect(signingSecrets({ url: "https://a", secretName: "HOOK" }, { HOOK: own }, ["whsec_tenant"])).toEqual([own]);
  });

  it.each([{}, { HOOK: "hush" }, { OTHER: own }])("are none where the function has no such secret any more: %j", (secrets: Record<string, string>) => {
    expect(signingSecrets({ url: "https://a", secretName: "HOOK" }, secrets, ["whsec_tenant"])).toBeUndefined();
    expect(signingSecrets({ url: "https://a", secretName: "constructor" }, secrets, ["whsec_tenant"])).toBeUndefined();
  });
});

import type { TenantId } from "@longshore/protocol";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { MemoryStore } from "../bus/testing/memory-store.ts";
import { RegistryCredentials } from "./credentials.ts";

const [acme, other] = ["acme" as TenantId, "other" as TenantId];
const at = new Date(Date.UTC(2026, 10, 25));
const login = { username: "robot", password: "a secret word" };

async function started(store = new MemoryStore()) {
  const credentials = new RegistryCredentials({ store, log: pino({ level: "silent" }) });
  await credentials.start();
  return { credentials, store };
}

describe("registry credentials", () => {
  it("are found for their tenant's images of their host, and for nothing else", async () => {
    const { credentials } = await started();
    await credentials.set(acme, "Registry.Plant:5000", login, at);
    expect(credentials.find(acme, "registry.plant:5000/app:1")).toEqual(login);
    expect(credentials.find(acme, "registry.plant:5000/team/app@sha256:" + "a".repeat(64))).toEqual(login);
    for (const reference of ["registry.plant/app", "registry.plant:5001/app", "app", "evil.example/registry.plant"]) expect(credentials.find(acme, reference)).toBeUndefined();
    expect(credentials.find(other, "registry.plant:5000/app:1")).toBeUndefined();
  });

  it("of Docker Hub are those of names without a host", async () => {
    const { credentials } = await started();
    await credentials.set(acme, "docker.io", login, at);
    expect(credentials.find(acme, "nginx")).toEqual(login);
  });

  it("are listed without passwords, and kept by every broker under seal", async () => {
    const { credentials, store } = await started();
    await credentials.set(acme, "b.example", login, at);
    await credentials.set(acme, "a.example", login, at);
    expect(credentials.list(acme)).toEqual(["a.example", "b.example"].map((host) => ({ host, username: "robot", updatedAt: at.toISOString() })));
    expect(credentials.list(other)).toEqual([]);
    const bucket = await store.bucket("registry-credentials");
    const stored = Buffer.from((await bucket.get("acme.a.example"))?.value ?? []).toString();
    expect(stored).toContain("robot");
    expect(stored).not.toContain("secret");
    const { credentials: second } = await started(store);
    expect(second.find(acme, "a.example/x")).toEqual(login);
  });

  it("open for no other host or tenant, wherever their document is put", async () => {
    const { credentials, store } = await started();
    await credentials.set(acme, "a.example", login, at);
    const bucket = await store.bucket("registry-credentials");
    const stored = JSON.parse(Buffer.from((await bucket.get("acme.a.example"))?.value ?? []).toString()) as object;
    await bucket.put("other.a.example", Buffer.from(JSON.stringify({ ...stored, tenantId: "other" })));
    const { credentials: second } = await started(store);
    expect(second.find(other, "a.example/x")).toBeUndefined();
  });

  it("tell of changes, and go when they are forgotten", async () => {
    const { credentials } = await started();
    const told: string[] = [];
    credentials.onChange((tenantId, host) => told.push(`${tenantId} ${host}`));
    await credentials.set(acme, "a.example:5000", login, at);
    await credentials.remove(acme, "a.example:5000");
    expect(new Set(told)).toEqual(new Set(["acme a.example:5000"]));
    expect(credentials.find(acme, "a.example:5000/x")).toBeUndefined();
    await expect(credentials.remove(acme, "a.example:5000")).rejects.toMatchObject({ reason: "registry_not_found" });
  });

  it.each([
    ["a host that is none", "not a host", login, { reason: "bad_name", field: "host" }],
    ["a path", "registry.plant/app", login, { reason: "bad_name", field: "host" }],
    ["no password", "a.example", { username: "robot" }, { reason: "bad_schema", field: "password" }],
    ["a slip", "a.example", { ...login, passwd: "x" }, { reason: "bad_schema" }],
  ])("refuse %s", async (_, host, document, error) => {
    const { credentials } = await started();
    await expect(credentials.set(acme, host, document, at)).rejects.toMatchObject(error);
  });
});

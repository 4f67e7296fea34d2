import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join as joinPath } from "node:path";
import { formatJoinToken, joinProofText, parseJoinToken, renewProofText } from "@longshore/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadCredential, loadOrCreateKey } from "../../packages/agent/src/join/credential.ts";
import { join } from "../../packages/agent/src/join/join.ts";
import { renewCredential } from "../../packages/agent/src/join/renew.ts";
import { loadOrCreateCertificates } from "../../packages/broker/src/identity/certificate-authority.ts";
import { ask, echo } from "../support/exchange-ends.ts";
import { FleetOfHosts } from "../support/fleet-of-hosts.ts";
import { startJoinFront } from "../support/join-front.ts";
import { address } from "../support/nats.ts";

const minuteMs = 60_000;
const because = (reason: string, field?: string) => expect.objectContaining({ reason, ...(field !== undefined && { field }) }) as unknown;

let nowMs = Date.now();
let fleet: FleetOfHosts;

beforeAll(async () => {
  fleet = await FleetOfHosts.start({ tls: true, now: () => nowMs });
});
afterAll(() => fleet[Symbol.asyncDispose]());

const createToken = async (request: { site?: string; agentId?: string } = {}) => (await fleet.identity.createToken({ site: "plant", labels: { gpu: "true" }, ...request })).token;

describe("a join token", () => {
  it("joins a host over TLS, whose agent then takes calls", async () => {
    const { credential, dataFolder } = await fleet.join("Press 7.factory.example", { labels: { gpu: "true" } });
    expect(credential).toMatchObject({ agentId: "press-7-factory-example", siteId: "plant", labels: { gpu: "true" } });
    expect(loadCredential(dataFolder)).toEqual(credential);
    const agent = fleet.testBus.agent("plant", credential.agentId, credential);
    await agent.start(echo);
    expect((await ask(fleet.broker, address("plant", credential.agentId))).frames).toHaveLength(1);
    expect(fleet.identity.agents.get(credential.agentId)).toMatchObject({ siteId: "plant", labels: { gpu: "true" }, cordoned: false });
  });

  it("leaves the key on the host, and files that only their owner may read", async () => {
    const { dataFolder, credential } = await fleet.join("host");
    expect(fleet.front.bodies.join("\n")).not.toContain(credential.seed);
    for (const file of readdirSync(dataFolder)) expect(statSync(joinPath(dataFolder, file)).mode & 0o077, file).toBe(0);
    expect(readdirSync(dataFolder).sort()).toEqual(["agent.json", "agent.seed"]);
  });

  it("admits one of ten hosts that use it at once, with two brokers", async () => {
    const token = parseJoinToken(await createToken());
    const { identity } = await fleet.anotherIdentity("b3", { now: () => nowMs });
    const requests = Array.from({ length: 10 }, (_, index) => {
      const key = loadOrCreateKey(fleet.newHost());
      return { tokenId: token.id, secret: token.secret, publicKey: key.publicKey, proof: key.prove(joinProofText(token.id)), hostName: `racer-${index}` };
    });
    const tries = await Promise.allSettled(requests.map((request, index) => (index % 2 === 0 ? identity : fleet.identity).join(request)));
    expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const refusals = tries.flatMap((tried) => (tried.status === "rejected" ? [tried.reason as unknown] : []));
    expect(refusals).toEqual(Array.from({ length: 9 }, () => because("token_used")));
    const racers = [identity, fleet.identity].flatMap(({ agents }) => agents.list().map(({ agentId }) => agentId as string).filter((agentId) => agentId.startsWith("racer-")));
    expect(new Set(racers).size).toBe(1);
  });

  it("answers the same host again, since its answer may have been lost", async () => {
    const token = await createToken();
    const dataFolder = fleet.newHost();
    const first = await join(token, { hostName: "again", dataFolder });
    rmSync(joinPath(dataFolder, "agent.json"));
    nowMs += 20 * minuteMs;
    expect(await join(token, { hostName: "again", dataFolder })).toMatchObject({ agentId: first.agentId, seed: first.seed });
    nowMs -= 20 * minuteMs;
  });

  it("runs out after 15 minutes", async () => {
    const token = await createToken();
    nowMs += 15 * minuteMs + 1;
    await expect(join(token, { hostName: "late", dataFolder: fleet.newHost() })).rejects.toThrow(because("token_expired"));
    nowMs -= 15 * minuteMs + 1;
  });

  it("is refused with another secret, an unknown id, or a proof by another key", async () => {
    const token = parseJoinToken(await createToken());
    const forged = [{ ...token, secret: "x".repeat(43) }, { ...token, id: "0".repeat(16) }];
    for (const text of forged.map(formatJoinToken)) await expect(join(text, { hostName: "h", dataFolder: fleet.newHost() })).rejects.toThrow(because("token_invalid"));
    const key = loadOrCreateKey(fleet.newHost());
    const other = loadOrCreateKey(fleet.newHost());
    const request = { tokenId: token.id, secret: token.secret, publicKey: key.publicKey, hostName: "h", proof: other.prove(`longshore-join:${token.id}`) };
    await expect(fleet.identity.join(request)).rejects.toThrow(because("token_invalid", "proof"));
    await expect(fleet.identity.join({ ...request, publicKey: "not a key" })).rejects.toThrow(because("token_invalid", "proof"));
  });

  it("gives hosts of one name names of their own, at once as well", async () => {
    const tokens = await Promise.all(Array.from({ length: 5 }, () => createToken()));
    const joined = await Promise.all(tokens.map((token) => join(token, { hostName: "Twin", dataFolder: fleet.newHost() })));
    expect(joined.map(({ agentId }) => agentId).sort()).toEqual(["twin", "twin-2", "twin-3", "twin-4", "twin-5"]);
  });

  it("sends its secret to nobody whose certificate is not of its fleet", async () => {
    const folder = fleet.newHost();
    await using impostor = await startJoinFront(() => fleet.identity, await loadOrCreateCertificates(folder, []));
    const token = { ...parseJoinToken(await createToken()), urls: [impostor.url] };
    await expect(join(formatJoinToken(token), { hostName: "h", dataFolder: fleet.newHost() })).rejects.toThrow(because("token_invalid"));
    expect(impostor.bodies).toEqual([]);
  });

  it("tries each of its addresses, and says which were not reached", async () => {
    const token = parseJoinToken(await createToken());
    const dataFolder = fleet.newHost();
    const nowhere = "https://127.0.0.1:1";
    await expect(join(formatJoinToken({ ...token, urls: [nowhere] }), { hostName: "h", dataFolder })).rejects.toThrow(nowhere);
    expect((await join(formatJoinToken({ ...token, urls: [nowhere, fleet.front.url] }), { hostName: "h", dataFolder })).siteId).toBe("plant");
  });

  it("is not made for a name that could not be part of a subject, nor with a label that hosts set themselves", async () => {
    for (const site of ["a.b", "*", ">", "Plant", "", "a b", "x".repeat(64)]) await expect(createToken({ site }), site).rejects.toThrow(because("bad_name", "site"));
    await expect(createToken({ agentId: "a.>" })).rejects.toThrow(because("bad_name", "agentId"));
    await expect(fleet.identity.createToken({ site: "plant", labels: { "host/os": "x" } })).rejects.toThrow(because("bad_schema", "labels"));
  });
});

describe("a joined host", () => {
  it("renews its credential by its signature alone, weeks later as well", async () => {
    const { dataFolder, credential } = await fleet.join("renews");
    const fresh = await renewCredential(dataFolder);
    expect(fresh).toMatchObject({ agentId: credential.agentId, seed: credential.seed });
    expect(loadCredential(dataFolder)).toEqual(fresh);
    const body = (at: number) => ({ at, proof: loadOrCreateKey(dataFolder).prove(renewProofText(credential.agentId, at)) });
    const dayMs = 24 * 60 * minuteMs;
    nowMs += 29 * dayMs;
    expect((await fleet.identity.renew(credential.agentId, body(nowMs))).jwt).toBeTruthy();
    nowMs += 32 * dayMs;
    await expect(fleet.identity.renew(credential.agentId, body(nowMs))).rejects.toThrow(because("token_expired"));
    nowMs -= 61 * dayMs;
  });

  it("is not given a credential for an old, foreign or unsigned request", async () => {
    const { dataFolder, credential } = await fleet.join("strict");
    const key = loadOrCreateKey(dataFolder);
    const other = loadOrCreateKey(fleet.newHost());
    const { agentId } = credential;
    const proof = (by: typeof key, at: number, name: string = agentId) => ({ at, proof: by.prove(renewProofText(name, at)) });
    await expect(fleet.identity.renew(agentId, proof(key, nowMs - 6 * minuteMs))).rejects.toThrow(because("token_invalid", "at"));
    await expect(fleet.identity.renew(agentId, proof(other, nowMs))).rejects.toThrow(because("token_invalid", "proof"));
    await expect(fleet.identity.renew(agentId, proof(key, nowMs, "host"))).rejects.toThrow(because("token_invalid", "proof"));
    await expect(fleet.identity.renew("nobody", proof(key, nowMs, "nobody"))).rejects.toThrow(because("token_invalid", "proof"));
    await expect(fleet.identity.renew(agentId, { at: nowMs, proof: "" })).rejects.toThrow(because("token_invalid", "proof"));
  });

  it("does not use files that others may read, or that are damaged", async () => {
    const { dataFolder } = await fleet.join("files");
    const file = joinPath(dataFolder, "agent.json");
    chmodSync(file, 0o644);
    expect(() => loadCredential(dataFolder)).toThrow(`chmod 600 ${file}`);
    chmodSync(file, 0o600);
    writeFileSync(file, readFileSync(file, "utf8").slice(0, 40));
    expect(() => loadCredential(dataFolder)).toThrow("it is damaged");
  });
});

describe("the first API key", () => {
  it("is made once in a fleet's life, known by every broker, and kept as a hash", async () => {
    const second = await fleet.anotherIdentity("b2");
    expect(fleet.firstKey).toMatch(/^lsk_/);
    expect(second.firstKey).toBeUndefined();
    expect(second.identity.authenticate(fleet.firstKey, { loopback: false })).toEqual({ tenantId: "default" });
    const bucket = await fleet.broker.store.bucket("api-keys", { history: 1, ttlMs: 0, storage: "file" });
    expect(new TextDecoder().decode((await bucket.get("first"))?.value)).not.toContain(fleet.firstKey?.slice(4));
  });

  it("is asked of everybody but a caller on this machine, and a wrong one is refused there too", () => {
    expect(fleet.identity.authenticate(undefined, { loopback: true })).toEqual({ tenantId: "default" });
    expect(() => fleet.identity.authenticate(undefined, { loopback: false })).toThrow(because("key_missing"));
    for (const bearer of ["", "lsk_", "lsk_wrong", `${fleet.firstKey ?? ""}x`]) expect(() => fleet.identity.authenticate(bearer, { loopback: true })).toThrow(because("token_invalid"));
  });
});

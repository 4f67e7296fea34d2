import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { MemoryStore } from "../bus/testing/memory-store.ts";
import { createNkey } from "./nkey.ts";
import { Revocations } from "./revocations.ts";

const operator = createNkey("operator");
const credential = { jwt: "", seed: "" };
const access = {
  servers: [],
  core: credential,
  fleet: credential,
  fleetAccountKey: createNkey("account").publicKey,
  agentSignerSeed: createNkey("account").seed,
  revocation: { system: credential, operatorSeed: operator.seed },
};
const credentialLifeMs = 60_000;

const revokedIn = (jwt: string) => (JSON.parse(Buffer.from(jwt.split(".")[1]!, "base64url").toString()) as { nats: { revocations: Record<string, number> } }).nats.revocations;

/** One broker's revocations over a shared store; `push` stands for the servers. */
async function broker(store: MemoryStore, push: (revoked: Record<string, number>) => Promise<void> | void): Promise<Revocations> {
  const revocations = new Revocations({ store, access, credentialLifeMs, pushClaims: async (_, jwt) => push(revokedIn(jwt)), log: pino({ level: "silent" }) });
  await revocations.start();
  return revocations;
}

describe("revocations", () => {
  it("leave the servers with the whole list, even when one broker's push arrives after another's newer one", async () => {
    const store = new MemoryStore();
    let atServers: Record<string, number> = {};
    const late = Promise.withResolvers<undefined>();
    let isFirst = true;
    const slow = await broker(store, async (revoked) => {
      if (isFirst) {
        isFirst = false;
        await late.promise;
      }
      atServers = revoked;
    });
    const quick = await broker(store, (revoked) => {
      atServers = revoked;
    });
    const slowly = slow.revoke("UA", 1_000_000);
    while (isFirst) await Promise.resolve();
    await quick.revoke("UB", 1_000_000);
    late.resolve(undefined);
    await slowly;
    expect(atServers).toEqual({ UA: 1_000, UB: 1_000 });
  });

  it("forget a key once nothing that was issued to it can still be valid", async () => {
    let atServers: Record<string, number> = {};
    const revocations = await broker(new MemoryStore(), (revoked) => {
      atServers = revoked;
    });
    await revocations.revoke("UA", 1_000_000);
    await revocations.revoke("UB", 1_000_000 + credentialLifeMs);
    expect(Object.keys(atServers)).toEqual(["UB"]);
  });

  it("are given to the servers at each start", async () => {
    const store = new MemoryStore();
    await (await broker(store, () => undefined)).revoke("UA", 1_000_000);
    const pushed: Record<string, number>[] = [];
    await broker(store, (revoked) => void pushed.push(revoked));
    expect(pushed).toEqual([{ UA: 1_000 }]);
  });
});

import { setImmediate } from "node:timers/promises";
import { type NatsConnection, PermissionViolationError } from "@nats-io/nats-core";
import { agentInbound, runSubject, type BrokerId, type ExchangeToken, heartbeatSubject, replySubject } from "@longshore/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { agentJwt } from "../../packages/broker/src/identity/claims.ts";
import { createNkey, nkeyFromSeed } from "../../packages/broker/src/identity/nkey.ts";
import { address, TestBus } from "../support/nats.ts";

const own = address("plant", "thief");
const neighbour = address("plant", "honest");
const elsewhere = address("cloud", "thief");
const brokerId = "b1" as BrokerId;
const token = "t1" as ExchangeToken;

let testBus: TestBus;
let stolen: Watched;

beforeAll(async () => {
  testBus = await TestBus.start();
  stolen = new Watched(await testBus.connection(testBus.credential("plant", "thief")));
});
afterAll(() => testBus[Symbol.asyncDispose]());

/** A connection that notes what the server refuses. */
class Watched {
  readonly #connection: NatsConnection;
  readonly #violations: string[] = [];

  constructor(connection: NatsConnection) {
    this.#connection = connection;
    void this.#note();
  }

  /** What was refused between the begin of an action and the answer to a PING after it. */
  async refused(action: (connection: NatsConnection) => void): Promise<string[]> {
    action(this.#connection);
    await this.#connection.flush();
    await setImmediate(); // The client hands errors on by a queue of its own.
    return this.#violations.splice(0);
  }

  async #note(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === "error" && status.error instanceof PermissionViolationError) this.#violations.push(`${status.error.operation} ${status.error.subject}`);
    }
  }
}

describe("an agent's credential", () => {
  it("may listen and speak on its own subjects: the attempts below fail for no other reason", async () => {
    expect(await stolen.refused((connection) => connection.subscribe(agentInbound(own)))).toEqual([]);
    expect(await stolen.refused((connection) => connection.publish(heartbeatSubject(own)))).toEqual([]);
  });

  it.each([
    ">", "*", "*.>", "longshore.>", "longshore.v1.>", "longshore.v1.agent.>", "longshore.v1.agent.*.*.>", "longshore.v1.agent.plant.>", "longshore.v1.agent.plant.*.>",
    "longshore.v1.agent.*.thief.>", "longshore.v1.site.>", "longshore.v1.site.*.*.reply.>", "longshore.v1.site.plant.thief.>",
    "_INBOX.>", "_INBOX.thief.*", "$SYS.>", "$SYS.ACCOUNT.>", "$SYS.REQ.USER.INFO", "$JS.>", "$JS.API.>", "$KV.>", "$O.>", "_R_.>", "_GR_.>", "$NRG.>",
    agentInbound(neighbour), agentInbound(elsewhere), runSubject(neighbour, brokerId, token), replySubject(neighbour, brokerId, token),
  ])("cannot subscribe to %s", async (subject) => {
    expect(await stolen.refused((connection) => connection.subscribe(subject))).toEqual([`subscription ${subject}`]);
  });

  it.each([
    "longshore", "longshore.v1.agent.plant.thief.run.b1.t1", runSubject(neighbour, brokerId, token), runSubject(elsewhere, brokerId, token), heartbeatSubject(neighbour),
    heartbeatSubject(elsewhere), replySubject(neighbour, brokerId, token), "longshore.v1.record.default.i1", "longshore.v1.broker.question.b1",
    "_INBOX.b1.1", "$SYS.REQ.SERVER.PING", "$SYS.REQ.ACCOUNT.PING.CONNZ", "$SYS.REQ.USER.INFO", "$SYS.REQ.CLAIMS.UPDATE",
    "$JS.API.INFO", "$JS.API.STREAM.LIST", "$KV.agents.thief", "_R_.x", "$JS.ACK.x",
  ])("cannot publish to %s", async (subject) => {
    expect(await stolen.refused((connection) => connection.publish(subject))).toEqual([`publish ${subject}`]);
  });

  it("cannot stand in a queue group on its own subjects, where a duplicate would take messages unseen", async () => {
    const subject = agentInbound(own);
    expect(await stolen.refused((connection) => connection.subscribe(subject, { queue: "q" }))).toEqual([`subscription ${subject}`]);
  });

  it("without a site gives no access at all", async () => {
    const { agentSignerSeed, fleetAccountKey } = testBus.bus.access;
    const key = createNkey("user");
    const jwt = agentJwt(nkeyFromSeed(agentSignerSeed, "account"), { name: "thief", siteId: "", publicKey: key.publicKey, accountKey: fleetAccountKey });
    const siteless = new Watched(await testBus.connection({ jwt, seed: key.seed }));
    const tried = ["longshore.v1.agent.>", agentInbound(own), "longshore.v1.agent.thief.>"];
    expect(await siteless.refused((connection) => { for (const subject of tried) connection.subscribe(subject); })).toHaveLength(tried.length);
    expect(await siteless.refused((connection) => connection.publish(heartbeatSubject(own)))).toHaveLength(1);
  });

  it("is refused with another seed, signed by another key, or signed by itself", async () => {
    const { jwt } = testBus.credential("plant", "thief");
    await expect(testBus.connection({ jwt, seed: createNkey("user").seed })).rejects.toThrow();
    const key = createNkey("user");
    const stranger = createNkey("account");
    const claims = { name: "thief", siteId: "plant", publicKey: key.publicKey, accountKey: testBus.bus.access.fleetAccountKey };
    await expect(testBus.connection({ jwt: agentJwt(stranger, claims), seed: key.seed })).rejects.toThrow();
    await expect(testBus.connection({ jwt: agentJwt(key, claims), seed: key.seed })).rejects.toThrow();
  });

  it("is refused once its time is over", async () => {
    await expect(testBus.connection(testBus.credential("plant", "thief", { lifeMs: -1_000 }))).rejects.toThrow();
  });
});

describe("a broker's credential in the fleet account", () => {
  it("has no inbox, no JetStream and no system subjects", async () => {
    const broker = new Watched(await testBus.connection(testBus.bus.access.fleet));
    const tried = ["_INBOX.>", "$JS.API.>", "$SYS.>", ">", agentInbound(own)];
    expect(await broker.refused((connection) => { for (const subject of tried) connection.subscribe(subject); })).toEqual(tried.map((subject) => `subscription ${subject}`));
    expect(await broker.refused((connection) => connection.publish(heartbeatSubject(own)))).toEqual([`publish ${heartbeatSubject(own)}`]);
  });
});

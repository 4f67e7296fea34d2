import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { join as joinFleet } from "@longshore/agent";
import { backUp, type BackupSummary, createBroker, resolveBrokerConfig, restore, type RunningBroker } from "@longshore/broker";
import type { BrokerId } from "@longshore/protocol";
import { createFleet, type Fleet } from "@longshore/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readClusterFolder } from "../../packages/broker/src/bus/cluster-folder.ts";
import { openKeptStreams } from "../../packages/broker/src/bus/kept-streams.ts";
import { createBus, type NatsBus } from "../../packages/broker/src/bus/nats.ts";
import type { QueueTerms } from "../../packages/broker/src/bus/queue-store.ts";
import type { StoredMessage } from "../../packages/broker/src/bus/stored-message.ts";
import { keyOf, terms } from "../../packages/broker/src/bus/testing/queue-contract.ts";
import { loadOrCreateCertificates } from "../../packages/broker/src/identity/certificate-authority.ts";
import { loadFleetKey } from "../../packages/broker/src/registry/fleet-key.ts";
import { withRevision } from "../../packages/broker/src/registry/stored-function.ts";
import { testRevision } from "../../packages/broker/src/registry/testing/revision.ts";
import { natsServerExecutable, TestBus } from "../support/nats.ts";
import { silentLog } from "../support/silent-log.ts";

const run = promisify(execFile);
const command = fileURLToPath(new URL("../../packages/cli/bin/longshore.mjs", import.meta.url));
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined) => (value === undefined ? undefined : new TextDecoder().decode(value));

const hour = 3_600_000;
/** Of an invocation that no broker begins while a test lasts. */
const waiting = (changes: Partial<QueueTerms> = {}) => terms({ notBeforeMs: Date.now() + hour, expiresAtMs: Date.now() + 2 * hour, ...changes });

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "longshore-backup-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const configOf = (name: string, settings: Record<string, unknown> = {}) =>
  resolveBrokerConfig({ flags: { dataFolder: join(folder, name), listen: "127.0.0.1:0", natsServer: natsServerExecutable, logLevel: "silent", ...settings }, environment: {}, file: undefined });
type Config = ReturnType<typeof configOf>;

const file = () => join(folder, "fleet.tar");
const backUpTo = (config: Config, target = file()): Promise<BackupSummary> => backUp(config, { file: target, log: silentLog });
const restoreFrom = (config: Config, { replace = false } = {}, busReplicas = 1) => restore({ ...config, busReplicas }, { file: file(), replace, log: silentLog });

/** A broker as it runs, a client of it with the key that it was given, and a bus of our own beside it. */
async function withBroker<T>(config: Config, work: (parts: { running: RunningBroker; fleet: Fleet; bus: NatsBus }) => Promise<T>, key?: string): Promise<T> {
  const broker = createBroker(config, { log: silentLog });
  const running = await broker.start();
  const access = readClusterFolder(config.busCredentials ?? join(config.dataFolder, "nats", "credentials"));
  const { servers, ca } = access;
  const bus = createBus({ brokerId: "b-test" as BrokerId, core: { servers, ca, credential: access.core }, fleet: { servers, ca, credential: access.fleet }, log: silentLog });
  await bus.start();
  const fleet = createFleet({ url: running.url, ...(key !== undefined && { key }) });
  try {
    return await work({ running, fleet, bus });
  } finally {
    await fleet.close();
    await bus.close();
    await broker.close();
  }
}

/** Puts a function with a secret in the registry, as a deploy would whose agent has looked at the image. */
async function deployed(bus: NatsBus): Promise<void> {
  const revision = testRevision({ tenantId: "default", document: { secrets: { TOKEN: "hush" } } });
  const key = await loadFleetKey(bus.store, undefined);
  const functions = await bus.store.bucket("functions", { history: 1, ttlMs: 0, storage: "file" });
  await functions.create("default.resize", bytes(JSON.stringify(withRevision(undefined, revision, key))));
}

/** Every message of the queue, as the bus has it. */
async function queueMessages(config: Config): Promise<StoredMessage[]> {
  const access = readClusterFolder(config.busCredentials ?? join(config.dataFolder, "nats", "credentials"));
  const streams = await openKeptStreams({ servers: access.servers, ca: access.ca, credential: access.core });
  const found: StoredMessage[] = [];
  await streams.read("queue", async (messages) => void found.push(...messages)).finally(() => streams.close());
  return found;
}

/** A fleet with something of everything, and its backup while it runs. */
async function backedUp(config: Config) {
  const [queued, again, finished] = [keyOf(), keyOf(), keyOf()];
  return withBroker(config, async ({ running, fleet, bus }) => {
    await deployed(bus);
    await fleet.registries.set("registry.example", { username: "robot", password: "secret" });
    const pair = await fleet.awsKeys.create();
    const { token } = await fleet.tokens.create({ site: "plant", agentId: "press-1", labels: { gpu: "true" } });
    await joinFleet(token, { hostName: "press-1", dataFolder: join(folder, "agent") });
    for (const key of [queued, again, finished]) await bus.store.queue.accept(key, waiting(), { n: 1 }, bytes("question"));
    const first = await bus.store.queue.find(again.tenantId, again.invocationId);
    if (first?.state === "queued") await bus.store.queue.again(first, waiting({ attempt: 2 }), { n: 2 });
    await bus.store.queue.finish(finished, { outcome: "succeeded" }, bytes("answer"));
    const summary = await backUpTo(config);
    return { apiKey: running.apiKey, pair, queued, again, finished, summary };
  });
}

/** Fails unless the fleet is as {@link backedUp} left it. */
async function expectAllThere(config: Config, { apiKey, pair, queued, again, finished }: Awaited<ReturnType<typeof backedUp>>): Promise<void> {
  await withBroker(config, async ({ running, fleet, bus }) => {
    expect(running.apiKey).toBeUndefined(); // None is made anew: the old one holds.
    expect((await fleet.list()).map(({ name, secretNames }) => ({ name, secretNames }))).toEqual([{ name: "resize", secretNames: ["TOKEN"] }]);
    expect((await fleet.registries.list()).map(({ host, username }) => ({ host, username }))).toEqual([{ host: "registry.example", username: "robot" }]);
    expect((await fleet.awsKeys.list()).map(({ accessKeyId }) => accessKeyId)).toEqual([pair.accessKeyId]);
    expect((await fleet.agents.list()).map(({ agentId, labels }) => ({ agentId, labels }))).toEqual([{ agentId: "press-1", labels: { gpu: "true" } }]);
    const { queue } = bus.store;
    expect(await queue.find(queued.tenantId, queued.invocationId)).toMatchObject({ state: "queued", attempt: 1, head: { n: 1 } });
    expect(await queue.find(again.tenantId, again.invocationId)).toMatchObject({ state: "queued", attempt: 2, head: { n: 2 } });
    const ended = await queue.find(finished.tenantId, finished.invocationId);
    expect(ended).toMatchObject({ state: "finished", head: { outcome: "succeeded" } });
    expect(text(ended?.body)).toBe("answer");
    for (const key of [queued, again, finished]) expect(await queue.accept(key, waiting(), {}, bytes("x"))).toBe(false);
    const entry = (await queueMessages(config)).find(({ subject }) => subject.endsWith(queued.invocationId));
    expect(Object.fromEntries(entry?.headers ?? [])).toMatchObject({ "Nats-Schedule": expect.stringMatching(/^@at 20/), "Nats-Schedule-Target": expect.stringContaining(".overdue.") });
    // The server takes it for the schedule that it is: its record ends it.
    expect(await queue.finish(queued, { outcome: "succeeded" }, bytes(""))).toBe(true);
    expect((await queueMessages(config)).filter(({ subject }) => subject.endsWith(queued.invocationId)).map(({ subject }) => subject.split(".")[3])).toEqual(["record"]);
  }, apiKey);
}

describe("a fleet with a bus of its own", () => {
  it("is all there after everything was lost but the backup taken while it ran", async () => {
    const config = configOf("broker", { tls: "off" });
    const before = await backedUp(config);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).toSorted()).toEqual(["agent", "broker", "fleet.tar"]);
    rmSync(config.dataFolder, { recursive: true });
    const restored = await restoreFrom(config);
    expect(restored).toMatchObject({ streams: before.summary.streams, messages: before.summary.messages, expired: 0, agentsMustJoinAgain: false, replacedFolder: undefined });
    expect(readdirSync(config.dataFolder)).toEqual(["nats"]);
    await expectAllThere(config, before);
  });

  it("is backed up while it is stopped too", async () => {
    const config = configOf("broker");
    const before = await backedUp(config);
    rmSync(file());
    expect(await backUpTo(config)).toMatchObject({ streams: before.summary.streams, messages: before.summary.messages });
    await restoreFrom(configOf("other"));
    await expectAllThere(configOf("other"), before);
  });

  it("keeps its authority, so that hosts and callers go on trusting it", async () => {
    const config = configOf("broker", { tls: "own" });
    await withBroker(config, async ({ running }) => {
      await backUpTo(config);
      await restoreFrom(configOf("other"));
      expect(readFileSync(join(folder, "other", "certificates", "ca.pem"), "utf8")).toBe(readFileSync(running.caFile ?? "", "utf8"));
    });
  });

  it("has lost nothing that was accepted before the backup began, whatever was written while it was taken", async () => {
    const config = configOf("broker");
    const early = Array.from({ length: 1_500 }, () => keyOf());
    await withBroker(config, async ({ bus }) => {
      const { queue } = bus.store;
      await Promise.all(early.map((key) => queue.accept(key, waiting(), {}, bytes("x".repeat(1_000)))));
      let isDone = false;
      /** Claims and ends them, newest first, so that the walk meets some as they are and others as they were. */
      const churn = async () => {
        for (const key of early.toReversed()) {
          if (isDone) return;
          const found = await queue.find(key.tenantId, key.invocationId);
          if (found?.state === "queued") await queue.again(found, waiting({ attempt: 2 }), {});
          await Promise.all([queue.finish(key, {}, bytes("")), queue.accept(keyOf(), waiting(), {}, bytes("late"))]);
        }
      };
      const churning = churn();
      await backUpTo(config).finally(() => (isDone = true));
      await churning;
    });
    await restoreFrom(configOf("other"));
    await withBroker(configOf("other"), async ({ bus }) => {
      const found = await Promise.all(early.map(({ tenantId, invocationId }) => bus.store.queue.find(tenantId, invocationId)));
      expect(found.filter((each) => each === undefined)).toHaveLength(0);
      expect(found.filter((each) => each?.state === "finished").length).toBeGreaterThan(0);
      const ids = (await queueMessages(configOf("other"))).map(({ subject }) => subject.split(".").at(-1));
      expect(new Set(ids).size).toBe(ids.length); // Q2: none is both queued and finished.
    });
  });

  it("is not restored over a fleet unless that is said, and then what stood is set aside", async () => {
    const config = configOf("broker");
    const before = await backedUp(config);
    await expect(restoreFrom(config)).rejects.toThrow(expect.objectContaining({ reason: "state_exists", message: expect.stringContaining("holds a fleet already (nats)") }));
    await withBroker(config, async () => {
      await expect(restoreFrom(config, { replace: true })).rejects.toThrow(expect.objectContaining({ reason: "state_exists", message: expect.stringContaining("stop its broker first") }));
    });
    const { replacedFolder } = await restoreFrom(config, { replace: true });
    expect(existsSync(join(replacedFolder ?? "", "nats", "keys.json"))).toBe(true);
    await expectAllThere(config, before);
  });

  it("is not backed up over a file, nor from a folder that holds none", async () => {
    writeFileSync(file(), "mine");
    await expect(backUpTo(configOf("broker"))).rejects.toThrow(expect.objectContaining({ reason: "state_exists" }));
    await expect(backUpTo(configOf("broker"), join(folder, "b.tar"))).rejects.toThrow(expect.objectContaining({ reason: "bad_schema", message: expect.stringContaining("no broker has kept a fleet there") }));
    expect(readFileSync(file(), "utf8")).toBe("mine");
    expect(readdirSync(folder)).toEqual(["fleet.tar"]);
  });
});

describe("a fleet on a cluster of the operator's own", () => {
  /** A broker on the cluster, which an embedded bus that no broker is at stands for. */
  const onCluster = (cluster: TestBus, name: string) => configOf(name, { busCredentials: join(cluster.dataFolder, "nats", "credentials") });

  it("is restored onto it while no broker is connected, over what is there only when that is said", async () => {
    await using cluster = await TestBus.start();
    const config = onCluster(cluster, "broker");
    const before = await backedUp(config);
    await withBroker(config, async () => {
      await expect(restoreFrom(config, { replace: true })).rejects.toThrow(expect.objectContaining({ reason: "state_exists", message: expect.stringContaining("a broker is connected") }));
    });
    await expect(restoreFrom(config)).rejects.toThrow(expect.objectContaining({ reason: "state_exists", message: expect.stringContaining("the bus holds a fleet already (KV_agents") }));
    await withBroker(config, ({ fleet }) => fleet.registries.remove("registry.example"));
    expect(await restoreFrom(config, { replace: true })).toMatchObject({ streams: before.summary.streams, agentsMustJoinAgain: false, replacedFolder: undefined });
    await expectAllThere(config, before);
  });

  it("is restored from a bus of its own, and then says that hosts have to join again", async () => {
    const own = configOf("own");
    const before = await backedUp(own);
    await loadOrCreateCertificates(join(own.dataFolder, "certificates"), []);
    rmSync(file());
    await backUpTo(own);
    await using cluster = await TestBus.start();
    const config = onCluster(cluster, "broker");
    expect(await restoreFrom(config)).toMatchObject({ agentsMustJoinAgain: true });
    expect(readdirSync(config.dataFolder)).toEqual(["certificates"]);
    await expectAllThere(config, before);
  });

  it("leaves nothing on it of a restore that could not be completed", async () => {
    await using cluster = await TestBus.start();
    const config = onCluster(cluster, "broker");
    await backedUp(config);
    const streams = await openKeptStreams({ servers: cluster.bus.access.servers, credential: cluster.bus.access.core });
    for (const { name } of await streams.list()) await streams.remove(name);
    await expect(restoreFrom(onCluster(cluster, "other"), {}, 5)).rejects.toThrow(expect.objectContaining({ reason: "bus_down", message: expect.stringContaining('Cannot make stream "queue"') })); // One server keeps no five copies.
    expect(await streams.list().finally(() => streams.close())).toEqual([]);
    expect(readdirSync(join(folder, "other"))).toEqual([]);
  });
});

describe("a file that is no whole backup", () => {
  it("is refused, naming what is wrong with it, and nothing is touched", async () => {
    const config = configOf("broker");
    await backedUp(config);
    const whole = readFileSync(file());
    const refusal = async (changed: Uint8Array, part: string) => {
      writeFileSync(file(), changed);
      await expect(restoreFrom(config, { replace: true })).rejects.toThrow(expect.objectContaining({ reason: "backup_damaged", message: expect.stringContaining(part) }));
    };
    await refusal(whole.subarray(0, whole.length / 2), "cut off");
    const flipped = Buffer.from(whole);
    const at = whole.indexOf(Buffer.from('"payload":"')) + 20;
    flipped.writeUInt8(whole.readUInt8(at) ^ 1, at);
    await refusal(flipped, '"streams/queue.jsonl" does not match its checksum');
    await refusal(Buffer.from("something else"), "no backup of Longshore");
    expect(readdirSync(config.dataFolder)).toEqual(["nats"]);
  });
});

describe("the command line", () => {
  it("backs a fleet up and restores it into a new folder", async () => {
    const config = configOf("first/broker");
    const before = await backedUp(config);
    rmSync(file());
    const { LONGSHORE_NATS_SERVER: _natsServer, ...environment } = process.env;
    const longshore = (...args: string[]) => run(process.execPath, [command, ...args], { env: { ...environment, LONGSHORE_NATS_SERVER: natsServerExecutable }, cwd: folder });
    expect((await longshore("backup", "fleet.tar", "--data", join(folder, "first"))).stdout).toContain(`Backed up ${before.summary.messages} messages`);
    const { stdout } = await longshore("restore", "fleet.tar", "--data", join(folder, "second"), "--json");
    expect(JSON.parse(stdout)).toMatchObject({ messages: before.summary.messages, createdAt: expect.any(String) });
    await expectAllThere(configOf("second/broker"), before);
  });
});

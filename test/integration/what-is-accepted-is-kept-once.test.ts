import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { describeQueue, FollowedPartition, keyOf, terms } from "../../packages/broker/src/bus/testing/queue-contract.ts";
import type { RecordsLook } from "../../packages/broker/src/bus/ended-entries.ts";
import { QueueFollow } from "../../packages/broker/src/bus/queue-follow.ts";
import type { QueueEntry, QueueKey } from "../../packages/broker/src/bus/queue-store.ts";
import { partitionOf, queueSubject } from "../../packages/broker/src/bus/queue-subjects.ts";
import { openSession, type Session } from "../../packages/broker/src/bus/session.ts";
import { event, TestBus } from "../support/nats.ts";
import { silentLog } from "../support/silent-log.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describeQueue("the queue on the bus", async () => {
  const testBus = await TestBus.start();
  const [one, two] = [await testBus.broker("b1"), await testBus.broker("b2")];
  return { queues: [one.store.queue, two.store.queue] as const, [Symbol.asyncDispose]: () => testBus[Symbol.asyncDispose]() };
});

describe("what the queue accepted", () => {
  it("is there after the server was killed, and followers go on with all that stands", async () => {
    await using testBus = await TestBus.start();
    const [one, other] = [await testBus.broker("b1"), await testBus.broker("b2")];
    const keys = Array.from({ length: 50 }, () => keyOf());
    const partition = partitionOf(keyOf());
    await Promise.all(keys.map((key) => one.store.queue.accept(key, terms(), {}, bytes("x"))));
    const followed = new FollowedPartition();
    await other.store.queue.follow(partition, followed).ready;
    expect(followed.entries).toHaveLength(50);
    const back = event();
    one.onConnectionChange((connected) => connected && back.happen());
    process.kill(testBus.serverPid, "SIGKILL"); // The embedded server is started again by itself.
    await back.happened;
    await one.store.queue.accept(keyOf(), terms(), {}, bytes("x"));
    await followed.until(() => followed.passes === 2 && followed.entries.length === 51);
    const found = await Promise.all(keys.map(({ tenantId, invocationId }) => one.store.queue.find(tenantId, invocationId)));
    expect(found.every((each) => each?.state === "queued")).toBe(true);
  });

  it("is followed without a write: the server keeps what it knows of followers in memory", async () => {
    await using testBus = await TestBus.start();
    const one = await testBus.broker("b1");
    const keys = Array.from({ length: 10 }, () => keyOf());
    await one.store.queue.follow(partitionOf(keyOf()), new FollowedPartition()).ready;
    const bucket = await one.store.bucket("functions", { history: 1, ttlMs: 0, storage: "file" });
    await bucket.watch(() => undefined);
    await bucket.put("resize", bytes("x"));
    await Promise.all(keys.map((key) => one.store.queue.accept(key, terms(), {}, bytes("x"))));
    await Promise.all(keys.map((key) => one.store.queue.finish(key, {}, bytes("x"))));
    expect(readdirSync(testBus.dataFolder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith("o.dat"))).toEqual([]);
  });

  it("is begun no more once it has ended, though a server that was killed may bring its entry back", async () => {
    await using testBus = await TestBus.start();
    const one = await testBus.broker("b1");
    const { queue } = one.store;
    const keys = Array.from({ length: 100 }, () => keyOf());
    await Promise.all(keys.map((key) => queue.accept(key, terms(), {}, bytes("x"))));
    for (const key of keys) {
      const found = await queue.find(key.tenantId, key.invocationId);
      if (found?.state === "queued") await queue.again(found, terms({ sentUntilMs: Date.now() + 600_000 }), {});
      await queue.finish(key, { is: "its record" }, bytes("y"));
    }
    const back = event();
    one.onConnectionChange((connected) => connected && back.happen());
    process.kill(testBus.serverPid, "SIGKILL");
    await back.happened;
    const followed = new FollowedPartition();
    await queue.follow(partitionOf(keyOf()), followed).ready;
    for (const entry of followed.entries) {
      const queued = await queue.read(entry);
      if (queued !== undefined) expect(await queue.again(queued, terms({ attempt: 2 }), {})).toBeUndefined();
    }
    for (const { tenantId, invocationId } of keys) expect(await queue.find(tenantId, invocationId)).toMatchObject({ state: "finished" });
  });

  it("is not followed once it has ended, though a server that was killed may bring its entry back, and that entry goes for good", async () => {
    await using testBus = await TestBus.start();
    const one = await testBus.broker("b1");
    const { queue } = one.store;
    const [standing, ...keys] = Array.from({ length: 100 }, () => keyOf());
    const all = [standing as QueueKey, ...keys];
    await Promise.all(all.map((key) => queue.accept(key, terms(), {}, bytes("x"))));
    for (const key of all) {
      const found = await queue.find(key.tenantId, key.invocationId);
      if (found?.state === "queued") await queue.again(found, terms({ sentUntilMs: Date.now() + 600_000 }), {});
    }
    await Promise.all(keys.map((key) => queue.finish(key, { is: "its record" }, bytes("y"))));
    const followed = new FollowedPartition();
    await queue.follow(partitionOf(keyOf()), followed).ready;
    for (const passes of [2, 3]) {
      process.kill(testBus.serverPid, "SIGKILL");
      await followed.until(() => followed.passes === passes && followed.entries.some(({ invocationId }) => invocationId === standing?.invocationId));
      expect(followed.entries.map(({ invocationId }) => invocationId)).toEqual([standing?.invocationId]);
      await expect.poll(async () => queue.count("entry"), { timeout: 60_000 }).toBe(1);
    }
  });

  it("is told again at once to who knew it, after the server was started anew: it waits for no question about others", async () => {
    await using testBus = await TestBus.start();
    const { queue } = (await testBus.broker("b1")).store;
    const [doubtful, ...keys] = Array.from({ length: 10 }, () => keyOf()) as [QueueKey, ...QueueKey[]];
    await Promise.all([doubtful, ...keys].map((key) => queue.accept(key, terms(), {}, bytes("x"))));
    const followed = new FollowedPartition();
    const ghosts: string[] = [];
    const questions: string[][] = [];
    let answer: (records: ReadonlySet<string>) => void = () => undefined;
    const look: Pick<RecordsLook, "among"> = {
      among: (_connection, asked) => {
        questions.push(asked.map(({ invocationId }) => invocationId));
        return questions.length === 1 ? Promise.resolve(new Set()) : new Promise((resolve) => (answer = resolve));
      },
    };
    const ghostSeen = event();
    const ghost = ({ invocationId }: QueueEntry) => {
      ghosts.push(invocationId);
      ghostSeen.happen();
    };
    const follow = new QueueFollow({ partition: partitionOf(doubtful), follower: followed, look, ghost, log: silentLog });
    follow.connectionChanged(await sessionOn(testBus));
    await follow.ready;
    follow.ended(doubtful); // As whoever stored its record would tell, and yet its entry stands.
    await testBus.stopServer();
    await testBus.startServer();
    follow.connectionChanged(await sessionOn(testBus));
    await followed.until(() => followed.passes === 2 && followed.entries.length === keys.length);
    expect(followed.entries.map(({ invocationId }) => invocationId).sort()).toEqual(keys.map(({ invocationId }) => invocationId).sort());
    await expect.poll(() => questions[1]).toEqual([doubtful.invocationId]);
    answer(new Set([queueSubject("record", doubtful)]));
    await ghostSeen.happened;
    expect(ghosts).toEqual([doubtful.invocationId]);
    expect(followed.entries).toHaveLength(keys.length);
    follow.close();
  });

  it("is nothing while the bus is down, and that is said", async () => {
    await using testBus = await TestBus.start();
    const { queue } = (await testBus.broker("b1")).store;
    await testBus.stopServer();
    await expect(queue.accept(keyOf(), terms(), {}, bytes("x"))).rejects.toThrow(expect.objectContaining({ reason: "bus_down" }));
    await testBus.startServer();
  });
});

async function sessionOn(testBus: TestBus): Promise<Session> {
  return openSession(await testBus.connection(testBus.bus.access.core));
}

import { Agent, request } from "node:http";
import { jetstream, jetstreamManager, RetentionPolicy, StorageType } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { nodeImage } from "../images.ts";
import { callsPerSecond } from "../measure.ts";
import { type BenchResult, compare } from "../result.ts";
import type { Rig } from "../rig.ts";

const body = new Uint8Array(1024).fill(97);
const inFlight = 64;
const rounds = 5;
const longAfter = 24 * 3_600_000;

/** Submits one; resolves with its id once it is accepted. */
function submit(url: string, name: string, agent: Agent, delayMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}/v1/functions/${name}/invocations?mode=async&delayMs=${delayMs}`, { method: "POST", agent, headers: { "content-length": String(body.length) } }, (incoming) => {
      incoming.resume();
      const id = incoming.headers["longshore-invocation-id"];
      incoming.on("end", () => (incoming.statusCode === 202 ? resolve(String(id)) : reject(new Error(`A submission was answered ${incoming.statusCode}`))));
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** A stream like the queue's own, to publish to without a broker. */
async function rawStream(connection: NatsConnection): Promise<{ readonly publish: () => Promise<unknown>; readonly remove: () => Promise<unknown> }> {
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: "bench-raw", subjects: ["bench.raw.>"], storage: StorageType.File, retention: RetentionPolicy.Limits, max_msgs_per_subject: 1, allow_direct: true, allow_atomic: true, allow_msg_ttl: true, allow_msg_schedules: true });
  const stream = jetstream(connection);
  let count = 0;
  return {
    publish: () => stream.publish(`bench.raw.${(count += 1)}`, body),
    remove: () => manager.streams.delete("bench-raw"),
  };
}

/** `accept`: async invocations accepted a second at 64 in flight over HTTP, against plain publishes to a stream of the same server. */
export async function accept(rig: Rig): Promise<BenchResult> {
  const name = `bench-accept-${process.pid}`;
  await rig.deployReady({ name, image: await nodeImage(), contract: "http", port: 8080, concurrency: 128 }, "main", 1);
  const agent = new Agent({ keepAlive: true });
  const bus = await rig.connectToBus();
  const raw = await rawStream(bus);
  try {
    const ours = () => submit(rig.url, name, agent, longAfter);
    await callsPerSecond(1_000, inFlight, ours);
    await callsPerSecond(1_000, inFlight, raw.publish);
    const figures = { ours: [] as number[], raw: [] as number[] };
    for (let round = 0; round < rounds; round += 1) {
      figures.ours.push(await callsPerSecond(4_000, inFlight, ours));
      figures.raw.push(await callsPerSecond(4_000, inFlight, raw.publish));
    }
    return compare("accept", "calls/s", figures.ours, { "raw publishes": figures.raw }, { bound: 1.2, better: "higher" });
  } finally {
    await raw.remove();
    await bus.close();
    agent.destroy();
    await rig.fleet.remove(name);
  }
}

/** `drain-queue`: queued invocations ended a second, against as many sync calls at 64 in flight. */
export async function drainQueue(rig: Rig): Promise<BenchResult> {
  const name = `bench-drain-${process.pid}`;
  const count = 2_000;
  await rig.deployReady({ name, image: await nodeImage(), contract: "http", port: 8080, concurrency: 128 }, "main", 1);
  const agent = new Agent({ keepAlive: true });
  const sync = async () => (await rig.fleet.call(name, body)).bytes();
  try {
    await callsPerSecond(count, inFlight, sync);
    const figures = { ours: [] as number[], sync: [] as number[] };
    for (let round = 0; round < rounds; round += 1) {
      figures.ours.push(await drained(rig, name, agent, count));
      figures.sync.push(await callsPerSecond(count, inFlight, sync));
    }
    return compare("drain-queue", "calls/s", figures.ours, { "sync calls": figures.sync }, { bound: 0.5, better: "higher" });
  } finally {
    agent.destroy();
    await rig.fleet.remove(name);
  }
}

/** Fills the queue with what is due at one moment, and counts how fast it ends from then on. */
async function drained(rig: Rig, name: string, agent: Agent, count: number): Promise<number> {
  const dueAt = Date.now() + 10_000;
  let submitted = 0;
  await callsPerSecond(count, inFlight, () => {
    submitted += 1;
    return submit(rig.url, name, agent, dueAt - Date.now());
  });
  if (Date.now() > dueAt) throw new Error(`${submitted} submissions took longer than the bench gives them`);
  await new Promise((resolve) => setTimeout(resolve, dueAt - Date.now()));
  const start = performance.now();
  while (await isPending(rig.url, name)) await new Promise((resolve) => setTimeout(resolve, 20));
  return count / ((performance.now() - start) / 1_000);
}

async function isPending(url: string, name: string): Promise<boolean> {
  const answer = await fetch(`${url}/v1/invocations?function=${name}&limit=1`);
  return ((await answer.json()) as { invocations: unknown[] }).invocations.length > 0;
}

import { Agent, request } from "node:http";
import { addressOf } from "../docker-run.ts";
import { nodeImage } from "../images.ts";
import { callsPerSecond, median, quantile } from "../measure.ts";
import { processorSeconds } from "../process-usage.ts";
import { startRelay } from "../relay/relay.ts";
import { runningInstance } from "../running-instance.ts";
import { type BenchResult, compare, format } from "../result.ts";
import type { Rig } from "../rig.ts";

const body = new Uint8Array(128).fill(97);
const rounds = 12;
const callsPerRound = 150;

/** What is under measurement: a warm function of the fleet, and the bare relay to the very same container. */
async function prepare(rig: Rig) {
  const image = await nodeImage();
  const name = `bench-warm-${process.pid}`;
  const revisionId = await rig.deployReady({ name, image, contract: "http", port: 8080, concurrency: 128 }, "main", 1);
  await (await rig.fleet.call(name, body)).bytes();
  const address = await addressOf(await runningInstance(revisionId));
  const relay = await startRelay(`http://${address}:8080/`);
  return {
    name,
    relay,
    target: `http://${address}:8080/`,
    async close() {
      await relay.close();
      await rig.fleet.remove(name);
    },
  };
}

/** Sequential latencies of both sides in turns, with the processor time each side used. */
async function sequential(ours: () => Promise<unknown>, reference: () => Promise<unknown>, processes: { ours: readonly number[]; reference: readonly number[] }) {
  const sides = { ours: { call: ours, latencies: [] as number[], seconds: 0 }, reference: { call: reference, latencies: [] as number[], seconds: 0 } };
  const names = ["ours", "reference"] as const;
  for (const name of names) for (let index = 0; index < callsPerRound; index += 1) await sides[name].call();
  for (let round = 0; round < rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const before = processorSeconds(processes[name]);
      for (let index = 0; index < callsPerRound; index += 1) {
        const start = performance.now();
        await sides[name].call();
        sides[name].latencies.push(performance.now() - start);
      }
      sides[name].seconds += processorSeconds(processes[name]) - before;
    }
  }
  return sides;
}

/** `warm`: p50 of a warm 128-byte invocation over the socket, against the bare relay. */
export async function warm(rig: Rig): Promise<BenchResult> {
  const bench = await prepare(rig);
  try {
    const sides = await sequential(
      async () => (await rig.fleet.call(bench.name, body)).bytes(),
      () => bench.relay.call(body),
      { ours: [rig.processIds.broker, rig.processIds.agent], reference: [bench.relay.processIds.front, bench.relay.processIds.back] },
    );
    return compare("warm", "ms", sides.ours.latencies, { relay: sides.reference.latencies }, { bound: 1.1, better: "lower" }, {
      "p99 ratio": format(quantile(sides.ours.latencies, 0.99) / quantile(sides.reference.latencies, 0.99)),
      "processor ratio": format(sides.ours.seconds / sides.reference.seconds),
    });
  } finally {
    await bench.close();
  }
}

/** One HTTP call over a kept connection. */
function post(url: string, agent: Agent, headers: Record<string, string> = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: "POST", agent, headers: { "content-length": String(body.length), ...headers } }, (incoming) => {
      incoming.resume();
      incoming.on("end", resolve);
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** `warm-http`: the same over HTTP. */
export async function warmHttp(rig: Rig): Promise<BenchResult> {
  const bench = await prepare(rig);
  const agent = new Agent({ keepAlive: true });
  try {
    const sides = await sequential(
      () => post(`${rig.url}/f/${bench.name}/`, agent),
      () => post(bench.relay.httpUrl, agent),
      { ours: [rig.processIds.broker, rig.processIds.agent], reference: [bench.relay.processIds.front, bench.relay.processIds.back] },
    );
    return compare("warm-http", "ms", sides.ours.latencies, { relay: sides.reference.latencies }, { bound: 1.15, better: "lower" }, {
      "container alone": `${format(median(await bareHop(bench.target, agent)))} ms`,
    });
  } finally {
    agent.destroy();
    await bench.close();
  }
}

/** Latencies of the last hop alone: HTTP to the container. */
async function bareHop(target: string, agent: Agent): Promise<number[]> {
  const latencies: number[] = [];
  for (let index = 0; index < 500; index += 1) {
    const start = performance.now();
    await post(target, agent);
    latencies.push(performance.now() - start);
  }
  return latencies;
}

/** `throughput`: warm invocations a second at 64 in flight over the socket, against the bare relay. */
export async function throughput(rig: Rig): Promise<BenchResult> {
  const bench = await prepare(rig);
  const ours = async () => (await rig.fleet.call(bench.name, body)).bytes();
  const reference = () => bench.relay.call(body);
  try {
    await callsPerSecond(2000, 64, ours);
    await callsPerSecond(2000, 64, reference);
    const figures = { ours: [] as number[], reference: [] as number[] };
    for (let round = 0; round < 7; round += 1) {
      figures.ours.push(await callsPerSecond(4000, 64, ours));
      figures.reference.push(await callsPerSecond(4000, 64, reference));
    }
    return compare("throughput", "calls/s", figures.ours, { relay: figures.reference }, { bound: 0.8, better: "higher" });
  } finally {
    await bench.close();
  }
}

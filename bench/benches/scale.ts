import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { FunctionDocument, Revision } from "@longshore/protocol";
import { createFleet } from "@longshore/sdk";
import { Registry } from "../../packages/broker/src/registry/registry.ts";
import { TestBus } from "../../test/support/nats.ts";
import { silentLog } from "../../test/support/silent-log.ts";
import { SimulatedFleet } from "../../test/support/simulated/fleet.ts";
import { addressesOf, storeAgents, storeFunctions } from "../../test/support/simulated/stored-fleet.ts";
import { Switchboard } from "../../test/support/simulated/switchboard.ts";
import { quantile, timeMs } from "../measure.ts";
import { processorSeconds } from "../process-usage.ts";
import { type BenchResult, compare, format } from "../result.ts";
import { DecidingRoster } from "../scale/decisions.ts";
import { type ScaleBroker, startScaleBroker } from "../scale/scale-broker.ts";

const sizes = { small: 100, large: 10_000 };
const functionCount = 1_000;
const sites = Array.from({ length: 20 }, (_, at) => `site-${at}`);
const beatMs = 5_000;
const watchedMs = 10_000;
/** Agents have been asked for all they should have, and said that they have it. */
const settleMs = 6_000;
const rounds = 20;
const decisionsPerRound = 2_000;
const inFlight = 500;

const goals = { ratio: 2, decisionsPerSecond: 5_000, processorShare: 0.6, bytesPerAgent: 8 * 1024 };

/** `scale`: placing a call among 10,000 simulated agents and 1,000 functions against 100 agents; beside it what their heartbeats and their entries cost a broker. */
export async function scale(): Promise<BenchResult> {
  await using testBus = await TestBus.start();
  const busFolder = join(testBus.dataFolder, "nats");
  const addresses = addressesOf(sizes.large, sites);
  const { store } = await testBus.broker("seeding");
  await storeFunctions(store, Array.from({ length: functionCount }, (_, at) => documentOf(at)));
  await storeAgents(store, addresses.slice(0, sizes.small));
  const registry = new Registry({ store, log: silentLog });
  await registry.start();
  const revisions = registry.list();

  await using switchboard = await Switchboard.to(testBus.bus, busFolder);
  await using fleet = new SimulatedFleet(switchboard);
  const small = new DecidingRoster(addresses.slice(0, sizes.small));
  await testBus.broker("small", small);
  await fleet.start(addresses.slice(0, sizes.small), 500);
  const before = await watchBroker(busFolder, sizes.small, measureIdle);
  small.roster.close(); // It stays as it is: what follows is for the large one.

  await storeAgents(store, addresses.slice(sizes.small));
  const large = new DecidingRoster(addresses);
  await testBus.broker("large", large);
  await fleet.start(addresses.slice(sizes.small), beatMs);
  const after = await watchBroker(busFolder, sizes.large, async (broker) => ({ ...(await measureIdle(broker)), ...(await measureListings(broker.url)) }));
  registry.close();
  large.roster.close();

  const { ours, reference } = decide(large, small, revisions);
  const perSecond = 1e6 / (ours.reduce((sum, each) => sum + each, 0) / ours.length);
  const bytesPerAgent = (after.residentBytes - before.residentBytes) / (sizes.large - sizes.small);
  const result = compare("scale", "µs", roundsOf(ours), { "100 agents": roundsOf(reference) }, { bound: goals.ratio, better: "lower" }, {
    "decisions a second": `${format(perSecond)} (goal ≥ ${format(goals.decisionsPerSecond)})`,
    "a decision, median": `${format(quantile(ours, 0.5))} µs, among 100 agents ${format(quantile(reference, 0.5))} µs`,
    "heartbeats, of one core": `${format(after.processorShare * 100)} % (goal < ${goals.processorShare * 100} %), of 100 agents ${format(before.processorShare * 100)} %`,
    "broker's memory an agent": `${format(bytesPerAgent / 1024)} KiB (goal < ${goals.bytesPerAgent / 1024} KiB)`,
    "start of a broker": `${format(after.startMs)} ms until it takes calls, ${format(after.readyMs)} ms until every agent is ready; with 100 agents ${format(before.startMs)} and ${format(before.readyMs)} ms`,
    "GET /v1/agents": `${format(after.firstPageMs)} ms for the first 100, ${format(after.allAgentsMs)} ms for all`,
    "GET /v1/functions": `${format(after.functionsMs)} ms for all`,
  });
  const isMet = result.met && perSecond >= goals.decisionsPerSecond && after.processorShare < goals.processorShare && bytesPerAgent < goals.bytesPerAgent;
  return { ...result, met: isMet };
}

/** Most functions are bound to a site, some run anywhere. */
function documentOf(at: number): FunctionDocument {
  const site = sites[at % sites.length];
  return { name: `f${at}`, image: `images.example.com/f${at}:1`, contract: "http", ...(at % 20 !== 0 && site !== undefined && { placement: { sites: [site] } }) };
}

/** Runs a broker of its own process until so many agents are ready and it has settled, and looks at it. */
async function watchBroker<T>(busFolder: string, agents: number, look: (broker: ScaleBroker) => Promise<T>) {
  await using broker = await startScaleBroker(busFolder);
  const readyMs = await broker.untilReady(agents);
  await delay(settleMs);
  return { startMs: broker.startMs, readyMs, ...(await look(broker)) };
}

async function measureIdle(broker: ScaleBroker) {
  const residentBytes = await broker.residentBytes();
  const usedS = processorSeconds([broker.pid]);
  await delay(watchedMs);
  return { residentBytes, processorShare: (processorSeconds([broker.pid]) - usedS) / (watchedMs / 1000) };
}

async function measureListings(url: string) {
  await using fleet = createFleet({ url, transport: "http" });
  return {
    firstPageMs: await timeMs(async () => (await fetch(`${url}/v1/agents?limit=100`)).arrayBuffer()),
    allAgentsMs: await timeMs(() => fleet.agents.list()),
    functionsMs: await timeMs(() => fleet.list()),
  };
}

/** Decisions in turns, a round of each. */
function decide(large: DecidingRoster, small: DecidingRoster, revisions: readonly Revision[]) {
  const [ours, reference]: [number[], number[]] = [[], []];
  for (let round = -1; round < rounds; round += 1) {
    const figures = { ours: large.decide(decisionsPerRound, revisions, inFlight), reference: small.decide(decisionsPerRound, revisions, inFlight) };
    if (round === -1) continue; // Indexes are made, and code is compiled.
    ours.push(...figures.ours);
    reference.push(...figures.reference);
  }
  return { ours, reference };
}

/** The 99th percentile of each round. */
function roundsOf(figures: readonly number[]): number[] {
  return Array.from({ length: rounds }, (_, round) => quantile(figures.slice(round * decisionsPerRound, (round + 1) * decisionsPerRound), 0.99));
}

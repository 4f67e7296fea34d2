import { join } from "node:path";
import type { AgentAddress } from "@longshore/protocol";
import { createFleet, type Fleet, InvocationError } from "@longshore/sdk";
import { CuttableLink } from "../cuttable-link.ts";
import { TestBus } from "../nats.ts";
import { SimulatedAgent } from "./agent.ts";
import { SimulatedFleet } from "./fleet.ts";
import { addressesOf, storeAgents, storeFunctions } from "./stored-fleet.ts";
import { Switchboard } from "./switchboard.ts";

/** What is called. */
const functionName = "echo";
/** Longer than it takes to know that an agent is lost. */
const slowMs = 22_000;
const lostAfterMs = 15_000;
/** So many callers call one after another. */
const callers = 8;

/** How calls ended, by outcome or reason. */
export type Endings = Record<string, number>;

/** A bus, simulated agents that have joined, and a function they may all run; the broker is the caller's. */
export class LargeFleet implements AsyncDisposable {
  readonly testBus: TestBus;
  readonly switchboard: Switchboard;
  readonly agents: SimulatedFleet;
  readonly addresses: readonly AgentAddress[];
  /** Those after {@link addresses}, each with a connection of its own by {@link link}. */
  readonly apart: readonly AgentAddress[];
  readonly link: CuttableLink;
  readonly #apartAgents: SimulatedAgent[] = [];
  #introduced: (agentId: string) => void = () => undefined;

  private constructor(parts: Pick<LargeFleet, "testBus" | "switchboard" | "addresses" | "apart" | "link">) {
    this.testBus = parts.testBus;
    this.switchboard = parts.switchboard;
    this.addresses = parts.addresses;
    this.apart = parts.apart;
    this.link = parts.link;
    this.agents = new SimulatedFleet(parts.switchboard);
  }

  /** Stores `count` agents of which `apart` have connections of their own, and has them all started, spread over that time. */
  static async start(count: number, apart: number, overMs: number): Promise<LargeFleet> {
    const testBus = await TestBus.start();
    const all = [...addressesOf(count - apart, ["plant", "cloud"]), ...addressesOf(count, ["apart"]).slice(count - apart)];
    const { store } = await testBus.broker("seeding");
    await storeAgents(store, all);
    await storeFunctions(store, [{ name: functionName, image: "images.example.com/echo:1", contract: "http" }]);
    const switchboard = await Switchboard.to(testBus.bus, join(testBus.dataFolder, "nats"));
    const fleet = new LargeFleet({ testBus, switchboard, addresses: all.slice(0, count - apart), apart: all.slice(count - apart), link: await CuttableLink.to(testBus.bus.port) });
    await testBus.broker("listening", { heartbeat: () => undefined, introduction: ({ agentId }) => fleet.#introduced(agentId), orphan: () => undefined, outcome: () => undefined });
    await fleet.agents.start(fleet.addresses, overMs);
    await Promise.all(fleet.apart.map((address) => fleet.#startApart(address)));
    return fleet;
  }

  /** Where a broker finds the bus's credentials. */
  get busCredentials(): string {
    return join(this.testBus.dataFolder, "nats", "credentials");
  }

  /** Resolves once each of those apart has introduced itself anew. */
  untilIntroduced(): Promise<void> {
    const missing = new Set<string>(this.apart.map(({ agentId }) => agentId));
    return new Promise((resolve) => {
      this.#introduced = (agentId) => {
        if (missing.delete(agentId) && missing.size === 0) resolve();
      };
    });
  }

  async #startApart(address: AgentAddress): Promise<void> {
    const credential = { ...this.testBus.credential(address.siteId, address.agentId), servers: [`nats://127.0.0.1:${this.link.port}`] };
    const agent = new SimulatedAgent(address, this.testBus.agent(address.siteId, address.agentId, credential));
    this.#apartAgents.push(agent);
    await agent.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#apartAgents.map((agent) => agent.close()));
    await this.agents[Symbol.asyncDispose]();
    await this.switchboard[Symbol.asyncDispose]();
    await this.link[Symbol.asyncDispose]();
    await this.testBus[Symbol.asyncDispose]();
  }
}

/** How one call ended. */
async function endingOf(fleet: Fleet, where?: string, ms = 0): Promise<string> {
  try {
    await fleet.invoke(functionName, "x", { path: ms > 0 ? `/slow?ms=${ms}` : "/", timeoutMs: 60_000, where });
    return "succeeded";
  } catch (error) {
    return error instanceof InvocationError ? error.reason : ((error as { reason?: string }).reason ?? String(error));
  }
}

const countOf = (endings: readonly string[]): Endings => Object.fromEntries([...new Set(endings)].map((ending) => [ending, endings.filter((each) => each === ending).length]));

/** Calls whatever agent, or one of those named, again and again, until the signal. */
async function keepCalling(fleet: Fleet, signal: AbortSignal, where?: string): Promise<Endings> {
  const endings: string[] = [];
  const call = async () => {
    while (!signal.aborted) endings.push(await endingOf(fleet, where));
  };
  await Promise.all(Array.from({ length: callers }, call));
  return countOf(endings);
}

/** Resolves once so many agents are in a state. */
export async function untilAgents(fleet: Fleet, count: number, state: string): Promise<void> {
  const states = new Map<string, string>();
  for await (const event of fleet.watch()) {
    if (event.event === "agent") states.set(event.agent.agentId, event.agent.state);
    if ([...states.values()].filter((each) => each === state).length === count) return;
  }
}

/** What came of half the agents losing power while calls flow. */
export interface HalfKilled {
  readonly killed: number;
  /** Calls under way on those that were killed, and on others. */
  readonly onKilled: Endings;
  readonly onOthers: Endings;
  /** Calls that went anywhere meanwhile. */
  readonly flowing: Endings;
  /** Runs that were sent to killed agents within 15 s, and after that. */
  readonly sentEarly: number;
  readonly sentLate: number;
  /** Calls made once all were known to be lost, and those of them that went to a killed one. */
  readonly afterwards: Endings;
  readonly afterwardsSent: number;
}

/** Kills half of those on the switchboard. */
export async function killHalf(large: LargeFleet, url: string, underWay: number): Promise<HalfKilled> {
  await using fleet = createFleet({ url });
  const { addresses, switchboard, agents } = large;
  const killed = addresses.filter((_, at) => at % 2 === 0);
  const others = addresses.filter((_, at) => at % 2 === 1);
  const slow = (some: readonly AgentAddress[]) => Promise.all(some.slice(0, underWay).map(({ agentId }) => endingOf(fleet, `agent=${agentId}`, slowMs)));
  const stop = new AbortController();
  const [onKilled, onOthers, flowing] = [slow(killed), slow(others), keepCalling(fleet, stop.signal)];
  await untilRuns(fleet, 2 * underWay);
  const killedAtMs = performance.now();
  agents.kill(killed);
  await untilAgents(fleet, killed.length, "lost");
  const sentBefore = switchboard.unheardRunsAtMs.length;
  const afterwards = countOf(await Promise.all(Array.from({ length: 500 }, () => endingOf(fleet))));
  const endings = { onKilled: countOf(await onKilled), onOthers: countOf(await onOthers) };
  stop.abort();
  const sent = switchboard.unheardRunsAtMs;
  const early = sent.filter((atMs) => atMs - killedAtMs <= lostAfterMs).length;
  return { killed: killed.length, ...endings, flowing: await flowing, sentEarly: early, sentLate: sent.length - early, afterwards, afterwardsSent: sent.length - sentBefore };
}

/** Resolves once agents say that they run at least so many. */
async function untilRuns(fleet: Fleet, count: number): Promise<void> {
  const running = new Map<string, number>();
  for await (const event of fleet.watch()) {
    if (event.event === "agent") running.set(event.agent.agentId, event.agent.capacity.running);
    if ([...running.values()].reduce((sum, each) => sum + each, 0) >= count) return;
  }
}

/** What came of agents whose connections broke all at once and came back, while calls flow on others. */
export interface Reconnected {
  readonly agents: number;
  /** One call to each, made as its connection breaks: it may be lost with it. */
  readonly onThem: Endings;
  /** One call to each, once all had introduced themselves again. */
  readonly afterwards: Endings;
  readonly onOthers: Endings;
  /** From the healing of the line until all had. */
  readonly tookMs: number;
}

/** Cuts the line that those apart are connected by, and heals it. */
export async function reconnect(large: LargeFleet, url: string): Promise<Reconnected> {
  await using fleet = createFleet({ url });
  const stop = new AbortController();
  const onOthers = keepCalling(fleet, stop.signal, "site=cloud");
  const introduced = large.untilIntroduced();
  const callEach = async () => countOf(await Promise.all(large.apart.map(({ agentId }) => endingOf(fleet, `agent=${agentId}`))));
  large.link.cut();
  const beginMs = performance.now();
  large.link.heal();
  const onThem = callEach();
  await introduced;
  const tookMs = performance.now() - beginMs;
  const afterwards = await callEach();
  stop.abort();
  return { agents: large.apart.length, onThem: await onThem, afterwards, onOthers: await onOthers, tookMs };
}

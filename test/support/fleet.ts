import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { type Agent, createAgent, join, resolveAgentConfig } from "@longshore/agent";
import { type Broker, createBroker, resolveBrokerConfig, type RunningBroker } from "@longshore/broker";
import { createFleet, type Fleet } from "@longshore/sdk";
import { leftOf } from "./agent-engine.ts";
import { natsServerExecutable } from "./nats.ts";
import { silentLog } from "./silent-log.ts";

const mebibyte = 2 ** 20;

export interface TestFleetOptions {
  /** One agent at each; default `plant` and `cloud`. */
  readonly sites?: readonly string[];
  /** Settings of every agent. */
  readonly agent?: Readonly<Record<string, unknown>>;
  /** Settings of every broker. */
  readonly broker?: Readonly<Record<string, unknown>>;
  /** Brokers side by side; default 1. */
  readonly brokers?: number;
}

/** One agent of a test's fleet. */
export interface TestAgent {
  readonly agentId: string;
  readonly siteId: string;
  readonly dataFolder: string;
  readonly agent: Agent;
}

/** A whole fleet in the test's process: a NATS server of its own, brokers, agents, on the real engine. */
export interface TestFleet extends AsyncDisposable {
  /** The first broker's. */
  readonly url: string;
  /** Every broker's. */
  readonly urls: readonly string[];
  /** The API key that was made with the fleet. */
  readonly apiKey: string | undefined;
  readonly brokers: readonly Broker[];
  readonly agents: readonly TestAgent[];
  /** A client of the first broker. */
  readonly fleet: Fleet;
  /** A host more. */
  addAgent(siteId: string, settings?: Readonly<Record<string, unknown>>): Promise<TestAgent>;
  /** Resolves once an agent of the site holds that many instances of the revision. */
  untilHeld(revisionId: string, siteId: string, held?: number): Promise<void>;
  /** Ends everything; throws when a container or a network is left. */
  close(): Promise<void>;
}

/** Starts a fleet; resolves once every agent is in the roster. */
export async function startFleet(options: TestFleetOptions = {}): Promise<TestFleet> {
  const folder = mkdtempSync(joinPath(tmpdir(), "longshore-fleet-"));
  const suffix = randomBytes(3).toString("hex");
  const brokers: Broker[] = [];
  const running: RunningBroker[] = [];
  const agents: TestAgent[] = [];

  const startBroker = async () => {
    const isFirst = brokers.length === 0;
    const values = {
      dataFolder: joinPath(folder, `broker-${brokers.length}`),
      listen: "127.0.0.1:0",
      natsServer: natsServerExecutable,
      logLevel: "silent",
      ...(!isFirst && { busCredentials: joinPath(folder, "broker-0", "nats", "credentials") }),
      ...options.broker,
    };
    const broker = createBroker(resolveBrokerConfig({ flags: values, environment: {}, file: undefined }), { log: silentLog });
    brokers.push(broker);
    running.push(await broker.start());
  };
  for (let index = 0; index < (options.brokers ?? 1); index += 1) await startBroker();
  const url = running[0]?.url ?? "";
  const fleet = createFleet({ url });

  const addAgent: TestFleet["addAgent"] = async (siteId, settings = {}) => {
    const agentId = `${siteId}-${suffix}-${agents.length}`;
    const values = { dataFolder: joinPath(folder, agentId), memoryBytes: 1024 * mebibyte, logLevel: "silent", ...options.agent, ...settings };
    const config = resolveAgentConfig({ flags: values, environment: {}, file: undefined });
    const { token } = await fleet.tokens.create({ site: siteId, agentId });
    await join(token, { hostName: agentId, dataFolder: config.dataFolder });
    const agent = createAgent(config, { log: silentLog });
    const added = { agentId, siteId, dataFolder: config.dataFolder, agent };
    agents.push(added);
    await agent.start();
    await untilAgent(fleet, agentId);
    return added;
  };

  const close = async () => {
    await fleet.close();
    await Promise.all(agents.map(({ agent }) => agent.close()));
    for (const broker of brokers.toReversed()) await broker.close();
    rmSync(folder, { recursive: true, force: true });
    const left = (await Promise.all(agents.map(({ agentId }) => leftOf(agentId)))).flat();
    if (left.length > 0) throw new Error(`Left behind: ${left.join(", ")}`);
  };

  try {
    for (const site of options.sites ?? ["plant", "cloud"]) await addAgent(site);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url,
    urls: running.map((broker) => broker.url),
    apiKey: running[0]?.apiKey,
    brokers,
    agents,
    fleet,
    addAgent,
    untilHeld: (revisionId, siteId, held = 1) => untilHeld(fleet, revisionId, siteId, held),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Resolves once the roster shows the agent ready. */
export async function untilAgent(fleet: Fleet, agentId: string, state = "ready"): Promise<void> {
  for await (const event of fleet.watch()) {
    if (event.event === "agent" && event.agent.agentId === agentId && event.agent.state === state) return;
  }
}

/** Resolves once an agent of the site holds that many instances of the revision. */
export async function untilHeld(fleet: Fleet, revisionId: string, siteId: string, held: number): Promise<void> {
  for await (const event of fleet.watch()) {
    if (event.event !== "agent" || event.agent.siteId !== siteId) continue;
    const capacity = event.agent.functions.find((entry) => entry.revisionId === revisionId);
    if (capacity !== undefined && capacity.held >= held) return;
  }
}

/** Resolves once the fleet together runs that many invocations, by what its agents say. */
export async function untilRunning(fleet: Fleet, count: number): Promise<void> {
  const running = new Map<string, number>();
  let hasCaughtUp = false;
  for await (const event of fleet.watch()) {
    if (event.event === "agent") running.set(event.agent.agentId, event.agent.capacity.running);
    if (event.event === "caught_up") hasCaughtUp = true;
    if (hasCaughtUp && [...running.values()].reduce((sum, each) => sum + each, 0) === count) return;
  }
}

import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFleet, type Fleet } from "@longshore/sdk";
import type Docker from "dockerode";
import { docker } from "../../support/agent-engine.ts";
import { CuttableLink } from "../../support/cuttable-link.ts";
import { natsServerExecutable } from "../../support/nats.ts";
import { removeLeftovers, startCommand } from "../../support/processes.ts";
import { BusProcess, freePort } from "./bus-process.ts";
import { OutboxReader } from "./outbox-reader.ts";
import { OwnEngine } from "./own-engine.ts";
import { Supervised } from "./supervised.ts";

/** One of the brokers, at the same address over all its processes. */
export interface FaultyBroker {
  readonly brokerId: string;
  readonly url: string;
  readonly process: Supervised;
}

/** One of the agents, with the link that is its only way to the bus. */
export interface FaultyAgent {
  readonly agentId: string;
  readonly siteId: string;
  readonly outbox: OutboxReader;
  readonly outboxQuotaBytes: number;
  readonly process: Supervised;
  readonly link: CuttableLink;
  /** The engine that it runs instances on. */
  readonly docker: Docker;
  /** That engine, where it is the harness's own. */
  readonly engine: OwnEngine | undefined;
}

export interface FaultyFleetOptions {
  readonly brokers: number;
  /** The site of each agent. */
  readonly sites: readonly string[];
  /** What the bus keeps has a disk of its own, which can lose its power, and be full. */
  readonly busDisk?: boolean;
  /** The last agent has an engine of its own, which can be broken. */
  readonly ownEngine?: boolean;
  /** How long instances stay without work; absent: 25 s, so that some end while it runs. */
  readonly idleMs?: number;
}

interface AgentStart extends Pick<FaultyAgent, "agentId" | "siteId" | "engine"> {
  readonly token: string;
  readonly idleMs: number;
}

const agentSettings = {
  LONGSHORE_AGENT_LOG_LEVEL: "warn",
  LONGSHORE_AGENT_INSTANCES_MAX: "30",
  LONGSHORE_AGENT_HELD_MAX: "4",
  LONGSHORE_AGENT_MEMORY_BYTES: String(3 * 2 ** 30),
};

/** The first agent's: a few large results are over it. */
const smallQuotaBytes = 2 ** 20;
const usualQuotaBytes = 2 ** 26;

/** A bus, brokers and agents, each in a process of its own on this machine and on its real engine, to be broken part by part. */
export class FaultyFleet implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "longshore-faults-"));
  readonly brokers: FaultyBroker[] = [];
  readonly agents: FaultyAgent[] = [];
  #bus: BusProcess | undefined;

  /** Resolves once every agent takes work. */
  static async start(options: FaultyFleetOptions): Promise<FaultyFleet> {
    const fleet = new FaultyFleet();
    try {
      await fleet.#start(options);
    } catch (error) {
      await fleet[Symbol.asyncDispose]();
      throw error;
    }
    return fleet;
  }

  get bus(): BusProcess {
    if (this.#bus === undefined) throw new Error("The bus is not started");
    return this.#bus;
  }

  /** Where brokers find how to reach the bus. */
  get busCredentials(): string {
    return join(this.folder, "bus", "nats", "credentials");
  }

  /** What programs use, by the first broker; `key`: of a tenant that is not the default one. */
  client(key?: string): Fleet {
    return createFleet({ url: this.brokers[0]?.url ?? "", transport: "http", ...(key !== undefined && { key }) });
  }

  async #start({ brokers, sites, busDisk = false, ownEngine = false, idleMs = 25_000 }: FaultyFleetOptions): Promise<void> {
    this.#bus = await BusProcess.start(join(this.folder, "bus"), { ownDisk: busDisk });
    for (let index = 1; index <= brokers; index += 1) await this.#startBroker(`broker-${index}`);
    await using client = this.client();
    const suffix = randomBytes(3).toString("hex");
    for (const [index, siteId] of sites.entries()) {
      const agentId = `${siteId}-${suffix}-${index}`;
      const { token } = await client.tokens.create({ site: siteId, agentId });
      const engine = ownEngine && index === sites.length - 1 ? await OwnEngine.start(join(this.folder, "engine")) : undefined;
      await this.#startAgent({ agentId, siteId, token, engine, idleMs });
    }
  }

  async #startBroker(brokerId: string): Promise<void> {
    const port = await freePort();
    const words = ["broker", "--data", join(this.folder, brokerId), "--listen", `127.0.0.1:${port}`];
    const environment = { LONGSHORE_BROKER_NATS_SERVER: natsServerExecutable, LONGSHORE_BROKER_LOG_LEVEL: "warn", LONGSHORE_BROKER_BUS_CREDENTIALS: this.busCredentials };
    const process = new Supervised({ name: brokerId, words, environment, failpointVariable: "LONGSHORE_BROKER_FAILPOINT" });
    this.brokers.push({ brokerId, url: `http://127.0.0.1:${port}`, process });
    await process.start();
  }

  /** It joins, and is begun with its link for the bus's address. */
  async #startAgent({ agentId, siteId, token, engine, idleMs }: AgentStart): Promise<void> {
    const data = join(this.folder, agentId);
    const link = await CuttableLink.to(this.bus.port, engine?.gateway);
    const outboxQuotaBytes = this.agents.length === 0 ? smallQuotaBytes : usualQuotaBytes;
    const process = new Supervised({ name: agentId, words: ["agent", "run", "--json", "--data", data], environment: { ...agentSettings, LONGSHORE_AGENT_IDLE_MS: String(idleMs), LONGSHORE_AGENT_OUTBOX_QUOTA_BYTES: String(outboxQuotaBytes), ...(engine !== undefined && { LONGSHORE_AGENT_ENGINE_HOST: engine.address }) }, ...(engine !== undefined && { prefix: engine.prefix }), failpointVariable: "LONGSHORE_AGENT_FAILPOINT" });
    const dataFolder = join(data, "agent");
    this.agents.push({ agentId, siteId, outbox: new OutboxReader(dataFolder), outboxQuotaBytes, process, link, docker: engine?.docker ?? docker, engine });
    await joinHost(token, data);
    leadBy(link, join(dataFolder, "agent.json"));
    await process.start();
  }

  /** Ends everything, and removes what killed agents left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.agents.map(({ process }) => process.interrupt()));
    await Promise.all(this.brokers.map(({ process }) => process.interrupt()));
    for (const { link } of this.agents) await link[Symbol.asyncDispose]();
    await this.#bus?.[Symbol.asyncDispose]();
    for (const { agentId, engine } of this.agents) await (engine === undefined ? removeLeftovers(agentId) : engine[Symbol.asyncDispose]());
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function joinHost(token: string, data: string): Promise<void> {
  const { process, lines } = startCommand(["join", "--join-only", token, "--json", "--data", data]);
  await lines.next();
  await process.ended;
}

/** An agent's credential names where the bus is. */
function leadBy(link: CuttableLink, credentialFile: string): void {
  const credential = JSON.parse(readFileSync(credentialFile, "utf8")) as Record<string, unknown>;
  writeFileSync(credentialFile, JSON.stringify({ ...credential, servers: [`nats://${link.address}`] }), { mode: 0o600 });
}

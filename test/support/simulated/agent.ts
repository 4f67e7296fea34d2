import { randomBytes, randomUUID } from "node:crypto";
import { type AgentAddress, type ImageFacts, type InstanceId, type Introduction, LongshoreError } from "@longshore/protocol";
import { AcceptedWork } from "../../../packages/agent/src/accepted/accepted-work.ts";
import { MemoryJournal } from "../../../packages/agent/src/accepted/testing/memory-journal.ts";
import { MemoryAnswers } from "../../../packages/agent/src/accepted/testing/memory-answers.ts";
import { MemoryPayloads } from "../../../packages/agent/src/accepted/testing/memory-payloads.ts";
import { createAskHandler } from "../../../packages/agent/src/asks/asks.ts";
import type { AgentBus } from "../../../packages/agent/src/bus/bus.ts";
import { heartbeatOf } from "../../../packages/agent/src/capacity/heartbeat.ts";
import { introductionOf } from "../../../packages/agent/src/capacity/introduction.ts";
import { systemClock } from "../../../packages/agent/src/clock.ts";
import type { Contract } from "../../../packages/agent/src/contracts/contract.ts";
import { createImageShelf } from "../../../packages/agent/src/instances/images.ts";
import { InstancePool } from "../../../packages/agent/src/instances/pool.ts";
import { PoolDrain } from "../../../packages/agent/src/instances/pool-drain.ts";
import type { Journal } from "../../../packages/agent/src/journal/journal.ts";
import { KnownRevisions } from "../../../packages/agent/src/run/revisions.ts";
import { createRunner } from "../../../packages/agent/src/run/run.ts";
import { openAsk } from "../../../packages/agent/src/session/ask-exchange.ts";
import { type Heartbeats, startHeartbeats } from "../../../packages/agent/src/session/heartbeats.ts";
import { openRun } from "../../../packages/agent/src/session/run-exchange.ts";
import { silentLog } from "../silent-log.ts";
import { echoContract } from "./echo.ts";
import { simulatedLauncher } from "./launcher.ts";

const gibibyte = 2 ** 30;

const limits = { memoryBytes: 8 * gibibyte, instancesMax: 32, heldMax: 8, heldCostBytes: 8 * 2 ** 20, idleMs: 600_000, restMs: 5_000, preparingMax: 4, beginningAtOnce: 4, refillingMax: 2, refillDelayMs: 50, refillPatienceMs: 2_000 };
const host = { name: "simulated", version: "1", architecture: "amd64", cpuMillis: 4_000, memoryBytes: 16 * gibibyte, diskFreeBytes: 100 * gibibyte, kernel: "6", runtimes: ["runc"] };
const noJournal: Journal = { started: () => undefined, ended: () => undefined, interrupted: [], close: () => undefined };

/**
 * An agent without an engine: its session, admission, pool and heartbeats are the agent's own code, its containers and functions are
 * made of nothing (see `echo.ts`), so that thousands fit into one process. It keeps the contract that the real agent keeps.
 */
export class SimulatedAgent {
  readonly address: AgentAddress;
  readonly incarnation = randomUUID();
  readonly #bus: AgentBus;
  readonly #pool: InstancePool;
  #heartbeats: Heartbeats | undefined;

  constructor(address: AgentAddress, bus: AgentBus) {
    this.address = address;
    this.#bus = bus;
    const newInstanceId = () => `i-${randomBytes(8).toString("hex")}` as InstanceId;
    this.#pool = new InstancePool({ launcher: simulatedLauncher, limits, clock: systemClock, log: silentLog, newInstanceId, onChange: () => this.#heartbeats?.changed() });
  }

  /** Resolves once it has introduced itself and takes work. */
  async start(): Promise<void> {
    const pool = this.#pool;
    const identity = { ...this.address, incarnation: this.incarnation };
    const revisions = new KnownRevisions();
    const images = createImageShelf({ inspectImage: (reference) => Promise.resolve(imageOf(reference)), pullImage });
    const emptying = new PoolDrain(pool, systemClock);
    const introduce = () => {
      this.#bus.introduce(this.#introduction());
      this.#heartbeats?.beat();
    };
    const resume = () => {
      emptying.resume();
      this.#heartbeats?.beat();
    };
    const drain = (deadlineMs: number) => {
      const drained = emptying.drain(deadlineMs);
      this.#heartbeats?.beat();
      return drained;
    };
    const startRun = createRunner({ pool, revisions, contractOf: () => echoContract as Contract, journal: noJournal, clock: systemClock, log: silentLog });
    const accepted = new AcceptedWork({ ...new MemoryJournal().open(), payloads: new MemoryPayloads(), answers: new MemoryAnswers(), bus: this.#bus, incarnation: this.incarnation, startRun, findRevision: (digest) => revisions.find(digest), clock: systemClock, log: silentLog });
    const engine = { inspectImage: (reference: string) => Promise.resolve(imageOf(reference)), pullImage };
    const answerAsk = createAskHandler({ engine, images, pool, revisions, adoption: { revisionKnown: () => undefined }, logs: { read: noLines }, accepted, introduce, resume, drain });
    await this.#bus.start({
      open: (verb, frame, exchange) => (verb === "run" ? openRun(frame, exchange, startRun, (digest) => revisions.find(digest), accepted.open.bind(accepted)) : openAsk(frame, exchange, answerAsk)),
      connectionChanged: (isConnected) => {
        if (!isConnected) return;
        introduce();
        accepted.connected();
      },
    });
    const beat = (sequence: number) =>
      heartbeatOf({ ...identity, sequence, state: pool.isDraining ? "draining" : "ready", detail: undefined }, pool, (digest) => images.isPresent(digest), images.presentRevisions);
    this.#heartbeats = startHeartbeats(beat, (heartbeat) => this.#bus.heartbeat(heartbeat));
    introduce();
  }

  /** Leaves as an agent does that is stopped. */
  async close(): Promise<void> {
    const emptied = this.#pool.close();
    this.#heartbeats?.beat();
    await emptied;
    this.#heartbeats?.close();
    await this.#bus.close();
  }

  /** Its process is gone: nothing is said any more. Its bus must be cut by whoever made it. */
  die(): void {
    this.#heartbeats?.close();
    this.#heartbeats = undefined;
    void this.#pool.close(); // Nobody hears of it: its instances go with the machine.
  }

  #introduction(): Introduction {
    return introductionOf({ ...this.address, incarnation: this.incarnation }, { ...host, hostName: this.address.agentId }, true);
  }
}

/** Every image is there, whatever it is called. */
function imageOf(reference: string): ImageFacts {
  const imageId = `sha256:${"5".repeat(64)}`;
  return { imageId, repositoryDigests: [], architecture: "amd64", sizeBytes: 1, entrypoint: ["/app"], command: [], exposedPorts: [8080], volumes: [], env: [], labels: { reference }, user: "", workingDirectory: "", faults: [] };
}

function pullImage(): Promise<never> {
  return Promise.reject(new LongshoreError("image_pull_failed", "Cannot pull: a simulated agent has every image"));
}

async function* noLines(): AsyncGenerator<never> {}

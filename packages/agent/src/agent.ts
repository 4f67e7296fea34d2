import { randomBytes, randomUUID } from "node:crypto";
import { join as joinPath } from "node:path";
import { type InstanceId, LongshoreError } from "@longshore/protocol";
import { AcceptedWork, type AcceptedWorkOptions } from "./accepted/accepted-work.ts";
import { PayloadFolder } from "./accepted/payload-files.ts";
import { Adoption } from "./adoption.ts";
import { createAskHandler } from "./asks/asks.ts";
import type { AgentBus } from "./bus/bus.ts";
import { createAgentBus } from "./bus/nats.ts";
import { type EngineHealth, watchEngineHealth } from "./capacity/engine-health.ts";
import { heartbeatOf } from "./capacity/heartbeat.ts";
import { introductionOf } from "./capacity/introduction.ts";
import { readProcessorPressure } from "./capacity/processor-pressure.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { AgentConfig } from "./config.ts";
import { contractFor, createContracts } from "./contracts/contracts.ts";
import { RuntimeApi } from "./contracts/lambda/runtime-api.ts";
import { createDockerEngine } from "./engine/docker.ts";
import type { Engine } from "./engine/engine.ts";
import { instanceIdOf } from "./engine/labels.ts";
import { sweep } from "./engine/reconcile.ts";
import { armFailpoint } from "./failpoint.ts";
import { findHold } from "./hold/executable.ts";
import { createImageKeeper, type ImageKeeper } from "./images/image-keeper.ts";
import { type FateWatch, watchFates } from "./instances/fates.ts";
import { createLauncher } from "./instances/launcher.ts";
import { poolLimits } from "./instances/limits.ts";
import { InstancePool } from "./instances/pool.ts";
import { PoolDrain } from "./instances/pool-drain.ts";
import { type AgentCredential, loadCredential } from "./join/credential.ts";
import { renewCredential } from "./join/renew.ts";
import { AnswerFolder } from "./journal/answer-files.ts";
import { InterruptedRuns } from "./journal/interrupted-runs.ts";
import { type Journal, openJournal } from "./journal/journal.ts";
import { Outbox } from "./journal/outbox.ts";
import { StartLog } from "./journal/start-log.ts";
import type { Logger } from "./log.ts";
import { createLogStore, type LogStore } from "./logs/log-store.ts";
import { startRegistries } from "./registries/registries.ts";
import { KnownRevisions } from "./run/revisions.ts";
import { createRunner } from "./run/run.ts";
import { openAsk } from "./session/ask-exchange.ts";
import { type Heartbeats, startHeartbeats } from "./session/heartbeats.ts";
import { openRun } from "./session/run-exchange.ts";

/** What an agent works with, where it is not what its settings say. */
export interface AgentDependencies {
  readonly log: Logger;
  readonly clock?: Clock;
  /** In place of the container engine that the settings name. */
  readonly engine?: Engine;
}

/** One host of a fleet. */
export interface Agent {
  /**
   * Resolves once it is registered and takes work. Rejects with `token_invalid` when the host has not joined, `engine_unavailable`
   * when its engine does not answer; what fails leaves nothing behind.
   */
  start(): Promise<void>;
  /** Takes no new work, lets what runs finish for at most that many milliseconds, then closes. */
  drain(deadlineMs: number): Promise<void>;
  /** Ends every instance, what has work too, and everything that was made for them. Idempotent. */
  close(): Promise<void>;
}

/** How often containers are compared with what is known of them. */
const sweepEveryMs = 60_000;

/** Puts an agent together; no I/O before `start`. */
export function createAgent(config: AgentConfig, { log, clock = systemClock, engine }: AgentDependencies): Agent {
  return new WiredAgent(config, log, clock, engine);
}

/** Everything that has begun, to be closed in the opposite order. */
interface Started {
  registries?: Awaited<ReturnType<typeof startRegistries>>;
  engine?: Engine;
  api?: RuntimeApi;
  journal?: Journal;
  starts?: StartLog;
  outbox?: Outbox;
  accepted?: AcceptedWork;
  images?: ImageKeeper;
  logs?: LogStore;
  fates?: FateWatch;
  pool?: InstancePool;
  drain?: (deadlineMs: number) => Promise<void>;
  adoption?: Adoption;
  health?: EngineHealth;
  bus?: AgentBus;
  heartbeats?: Heartbeats;
  cancelSweep?: () => void;
}

/** Whose containers are compared. */
interface SweptParts {
  readonly engine: Engine;
  readonly pool: InstancePool;
  readonly adoption: Adoption;
  readonly interrupted: InterruptedRuns;
}

class WiredAgent implements Agent {
  readonly #config: AgentConfig;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #givenEngine: Engine | undefined;
  readonly #incarnation = randomUUID();
  readonly #started: Started = {};
  #closed: Promise<void> | undefined;

  constructor(config: AgentConfig, log: Logger, clock: Clock, engine: Engine | undefined) {
    this.#config = config;
    this.#log = log;
    this.#clock = clock;
    this.#givenEngine = engine;
  }

  async start(): Promise<void> {
    armFailpoint(this.#config.failpoint);
    const credential = loadCredential(this.#config.dataFolder);
    if (credential === undefined) throw new LongshoreError("token_invalid", `Cannot start the agent: ${this.#config.dataFolder} holds no credential; join first`);
    try {
      await this.#begin(credential, this.#started);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async drain(deadlineMs: number): Promise<void> {
    await this.#started.drain?.(deadlineMs);
    await this.close();
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#end(this.#started));
  }

  async #begin(credential: AgentCredential, started: Started): Promise<void> {
    const { agentId, siteId } = credential;
    const log = this.#log.child({ agentId, siteId });
    const registries = (started.registries = await startRegistries(this.#config.registries, log));
    const engine = (started.engine = this.#givenEngine ?? createDockerEngine({ agentId, host: this.#config.engineHost, log, registries, pullSilenceMs: this.#config.pullSilenceMs }));
    const description = await this.#describe(engine);
    const api = (started.api = await this.#serveRuntimes(engine, log));
    const journal = (started.journal = openJournal(joinPath(this.#config.dataFolder, "journal")));
    const interrupted = new InterruptedRuns(journal);
    const { adopt, remaining } = await sweep(engine, () => ({ known: new Set(), busy: interrupted.instanceIds }), log);
    interrupted.swept(new Set(remaining.map(instanceIdOf)));

    const contracts = createContracts({ api, clock: this.#clock, log, randomBytes });
    const contractOf = (name: Parameters<typeof contractFor>[1]) => contractFor(contracts, name);
    const keeper = (started.images = this.#keepImages(engine, log));
    const images = keeper.shelf;
    const logs = (started.logs = createLogStore({ siteId, agentId, clock: this.#clock, limits: { maxBytes: this.#config.logMemoryBytes, retentionMs: this.#config.logRetentionMs } }));
    const fates = (started.fates = watchFates(engine, log));
    const launcher = keeper.pinning(createLauncher({ agentId, siteId, engine, images, credentialOf: (revision) => revisions.credentialOf(revision), fates, contractOf, holdFor: findHold, logs, clock: this.#clock, log, randomBytes }));
    const limits = poolLimits(this.#config, description.cpuMillis);
    const pool = (started.pool = new InstancePool({ launcher, limits, clock: this.#clock, log, newInstanceId, waitedUs: readProcessorPressure(), onChange: () => started.heartbeats?.changed() }));
    const adoption = (started.adoption = new Adoption(adopt, { engine, launcher, pool, clock: this.#clock, log }));
    this.#sweepLater({ engine, pool, adoption, interrupted }, log);

    const health = (started.health = watchEngineHealth(engine, description, this.#clock, log, () => started.heartbeats?.beat()));
    const identity = { agentId, siteId, incarnation: this.#incarnation };
    const bus = (started.bus = createAgentBus({ ...identity, credential, renew: () => renewCredential(this.#config.dataFolder), log }));
    const introduce = () => {
      bus.introduce(introductionOf(identity, health.description, findHold(health.description.architecture) !== undefined));
      started.heartbeats?.beat();
    };
    const revisions = new KnownRevisions();
    const startRun = createRunner({ pool, revisions, contractOf, journal, clock: this.#clock, log });
    const accepted = (started.accepted = await this.#openAccepted(started, { bus, startRun, findRevision: (digest) => revisions.find(digest) }, interrupted, log));
    const emptying = new PoolDrain(pool, this.#clock);
    const resume = () => {
      emptying.resume();
      started.heartbeats?.beat();
    };
    const drain = (started.drain = (deadlineMs: number) => {
      const drained = emptying.drain(deadlineMs);
      started.heartbeats?.beat();
      return drained;
    });
    await keeper.start();
    const answerAsk = createAskHandler({ engine: keeper.source, images, pool, revisions, adoption, logs, accepted, introduce, resume, drain });
    await bus.start({
      open: (verb, frame, exchange) => (verb === "run" ? openRun(frame, exchange, startRun, (digest) => revisions.find(digest), accepted.open.bind(accepted)) : openAsk(frame, exchange, answerAsk)),
      connectionChanged: (isConnected) => {
        if (!isConnected) return;
        introduce();
        accepted.connected();
      },
    });
    const beat = (sequence: number) => {
      const state = health.problem === undefined ? (pool.isDraining ? "draining" : "ready") : "unhealthy";
      const { disk } = keeper;
      return { ...heartbeatOf({ ...identity, sequence, state, detail: health.problem }, pool, (digest) => images.isPresent(digest), images.presentRevisions), ...(disk && { disk }) };
    };
    started.heartbeats = startHeartbeats(beat, (heartbeat) => bus.heartbeat(heartbeat));
    introduce();
    log.info({ engine: description.version, warnings: description.warnings }, "agent ready");
  }

  async #describe(engine: Engine) {
    try {
      return await engine.describe();
    } catch (cause) {
      throw new LongshoreError("engine_unavailable", "Cannot start the agent: the container engine does not answer; is it running, and may this user reach it?", { phase: "startup", cause });
    }
  }

  #keepImages(engine: Engine, log: Logger): ImageKeeper {
    const inUse = () => [...(this.#started.pool?.instances ?? [])].map(({ revision }) => revision);
    const onChange = () => this.#started.heartbeats?.beat();
    return createImageKeeper({ engine, dataFolder: this.#config.dataFolder, limits: this.#config, inUse, clock: this.#clock, log, onChange });
  }

  /** Ends what an earlier process had begun of accepted work; what waits for a broker goes once the bus is there. */
  async #openAccepted(started: Started, parts: Pick<AcceptedWorkOptions, "bus" | "startRun" | "findRevision">, interrupted: InterruptedRuns, log: Logger): Promise<AcceptedWork> {
    const { dataFolder, outboxQuotaBytes } = this.#config;
    const starts = (started.starts = await StartLog.open(joinPath(dataFolder, "journal")));
    const outbox = await Outbox.open({ folder: joinPath(dataFolder, "outbox"), quotaBytes: outboxQuotaBytes, log });
    started.outbox = outbox;
    const payloads = await PayloadFolder.open(joinPath(dataFolder, "payloads"));
    const answers = await AnswerFolder.open(joinPath(dataFolder, "answers"), outbox.waiting);
    const accepted = new AcceptedWork({ ...parts, payloads, answers, incarnation: this.#incarnation, starts, outbox, clock: this.#clock, log });
    await accepted.recover((key) => interrupted.isOver(key));
    return accepted;
  }

  /** Makes the networks, and serves the Runtime API on them; without an address there only lambda functions cannot run. */
  async #serveRuntimes(engine: Engine, log: Logger): Promise<RuntimeApi> {
    const api = new RuntimeApi(this.#clock, log);
    const gateways = await engine.ensureNetworks();
    try {
      await api.start(gateways);
      await engine.allowHostPorts(api.endpoints);
    } catch (err) {
      log.warn({ err }, "Runtime API not served: no lambda function can run here");
    }
    return api;
  }

  #sweepLater(parts: SweptParts, log: Logger): void {
    this.#started.cancelSweep = this.#clock.after(sweepEveryMs, () => {
      void this.#sweepAgain(parts, log)
        .catch((err: unknown) => log.warn({ err }, "containers not reconciled"))
        .then(() => {
          if (this.#closed === undefined) this.#sweepLater(parts, log);
        });
    });
  }

  /** Ends what nobody looks after, and then says of the runs that were in it that they are lost. */
  async #sweepAgain({ engine, pool, adoption, interrupted }: SweptParts, log: Logger): Promise<void> {
    const known = () => new Set([...[...pool.instances].map((instance) => instance.instanceId as string), ...adoption.instanceIds]);
    const { remaining } = await sweep(engine, () => ({ known: known(), busy: interrupted.instanceIds, isSettled: true }), log);
    interrupted.swept(new Set(remaining.map(instanceIdOf)));
    await this.#started.accepted?.recover((key) => interrupted.isOver(key));
  }

  async #end({ registries, engine, api, journal, starts, outbox, accepted, images, logs, fates, pool, adoption, health, bus, heartbeats, cancelSweep }: Started): Promise<void> {
    cancelSweep?.();
    health?.close();
    const emptied = pool?.close();
    heartbeats?.beat(); // Brokers look elsewhere from now on.
    await Promise.all([emptied, adoption?.close()]);
    heartbeats?.close();
    await accepted?.close();
    await outbox?.close();
    await bus?.close();
    await images?.close();
    fates?.close();
    logs?.close();
    journal?.close();
    await starts?.close();
    await api?.close();
    await registries?.close();
    await engine?.removeNetworks().catch((err: unknown) => this.#log.warn({ err }, "networks not removed"));
  }
}

function newInstanceId(): InstanceId {
  return `i-${randomBytes(8).toString("hex")}` as InstanceId;
}

import { type AgentAddress, type FleetEvent, type Frame, type FunctionName, invocationIdSchema, parseName, type TenantId } from "@longshore/protocol";
import type { Logger } from "pino";
import type { Bus } from "./bus/bus.ts";
import type { Clock } from "./clock.ts";
import type { Durability } from "./durability/durability-watch.ts";
import { EventHub } from "./events.ts";
import type { BrokerParts } from "./http/handler.ts";
import type { Identity } from "./identity/identity.ts";
import { createAllowList } from "./destinations/allow-list.ts";
import { resolveHost } from "./destinations/resolve-host.ts";
import { createSender } from "./destinations/send-request.ts";
import { deliverWebhook, type WebhookDelivery } from "./destinations/webhook.ts";
import { WebhookSecrets } from "./destinations/webhook-secrets.ts";
import { Dispatcher } from "./invocation/dispatch.ts";
import { createInflightElsewhere } from "./invocation/inflight-elsewhere.ts";
import { Invocations } from "./invocation/invocations.ts";
import { defaultInvocationLimits, type InvocationLimits } from "./invocation/limits.ts";
import { readOrphan, recordOfOrphan } from "./invocation/records.ts";
import { type FinishedOptions, storeOrphan, tellEnded, tellFinished } from "./invocation/tell-finished.ts";
import { History } from "./history/history.ts";
import { RecordPages } from "./history/record-pages.ts";
import { FunctionLogs } from "./logs/function-logs.ts";
import { agentsPage } from "./metrics/agents-page.ts";
import { Metrics } from "./metrics/metrics.ts";
import { KeyPairs } from "./aws/key-pairs.ts";
import { createSignatureVerifier, type SignatureVerifier } from "./aws/signature-verifier.ts";
import { DeadLetters } from "./queue/dead-letters.ts";
import { Queue } from "./queue/queue.ts";
import { RegistryCredentials } from "./registry/credentials.ts";
import { Deployer } from "./registry/deploy.ts";
import { Functions } from "./registry/functions.ts";
import { Preparer } from "./registry/preparer.ts";
import { Registry } from "./registry/registry.ts";
import type { AgentEntry } from "./roster/agent-entry.ts";
import { createAsker } from "./roster/ask-agent.ts";
import { tellOfAgents } from "./roster/fleet-events.ts";
import { FleetOperations } from "./roster/fleet-operations.ts";
import { joinedAgents } from "./roster/joined-agents.ts";
import { Roster } from "./roster/roster.ts";
import { agentView } from "./roster/views.ts";
import { Schedules } from "./schedules/schedules.ts";
import type { Tracing } from "./traces/tracing.ts";

export interface CoreOptions {
  readonly bus: Bus;
  readonly identity: Identity;
  readonly durability: Durability;
  /** Hosts and networks of the operator's own that webhooks may go to. */
  readonly webhookAllow: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: Partial<InvocationLimits>;
  readonly sealKeyFile?: string | undefined;
  /** Absent: traces are off. */
  readonly tracing?: Tracing | undefined;
  /** Why this broker should get no calls, if it should not. */
  readonly problem: () => string | undefined;
}

/** What a broker is between its doors and its bus: registry, roster, placement, invocations. */
export interface Core {
  readonly dispatcher: Dispatcher;
  readonly queue: Queue;
  readonly hub: EventHub;
  readonly logs: FunctionLogs;
  readonly signatures: SignatureVerifier;
  /** An invocation or a submission over a socket has had its last frame. */
  readonly exchanged: (durationMs: number) => void;
  /** What the HTTP side calls. */
  parts(sockets: () => number): BrokerParts;
  /** Reads what is stored and hears the agents; once bus and identity have started. */
  start(): Promise<void>;
  /** Tries nothing more of what is queued, and lets calls under way finish for at most that long. */
  drain(deadlineMs: number): Promise<void>;
  close(): Promise<void>;
}

/** An agent that is asked to introduce itself answers within that time, or is not there. */
const introduceMs = 5_000;

/** Wires it together; begins to listen to the bus, so call before the bus starts. */
export function createCore({ bus, identity, durability, webhookAllow, clock, log, limits, sealKeyFile, tracing, problem }: CoreOptions): Core {
  const asker = createAsker(bus, clock, (agent) => roster.get(agent.agentId)?.incarnations.current);
  const joined = joinedAgents(identity.agents, identity.sites);
  const registry = new Registry({ store: bus.store, sealKeyFile, log: log.child({ component: "registry" }) });
  const roster = new Roster({ joined, clock, introduce: (agent) => asker.ask(agent, { ask: "introduce" }, { silenceMs: introduceMs }) });
  roster.observe({ lost: (_, incarnation) => asker.lost(incarnation) });
  const credentials = new RegistryCredentials({ store: bus.store, sealKeyFile, log: log.child({ component: "registry" }) });
  const keyPairs = new KeyPairs({ store: bus.store, sealKeyFile, log: log.child({ component: "aws" }) });
  const webhookSecrets = new WebhookSecrets({ store: bus.store, sealKeyFile, log: log.child({ component: "destinations" }) });
  const preparer = new Preparer({ registry, roster, asker, credentials, clock, log: log.child({ component: "registry" }) });
  const functions = new Functions(registry, new Deployer({ registry, roster, asker, preparer, credentials, clock }));
  const metrics = new Metrics();

  const nameFor = (tenantId: TenantId | undefined) => (digest: string) => {
    const revision = registry.current(digest);
    return tenantId === undefined || revision?.tenantId === tenantId ? revision?.revisionId : undefined;
  };
  const agentEvent = (agent: AgentEntry, tenantId: TenantId): FleetEvent => ({ event: "agent", agent: agentView(agent, nameFor(tenantId)) });
  const hub = new EventHub((tenantId) => [...roster.agents()].map((agent) => agentEvent(agent, tenantId)));
  tellOfAgents(roster, hub, clock, agentEvent);
  registry.onChange(({ tenantId, functionName, after }) => {
    hub.tell(tenantId, { event: "function", name: functionName, ...(after === undefined ? { deleted: true } : { revision: after.revision }) });
  });

  const invocationLog = log.child({ component: "invocation" });
  const { records } = bus.store;
  const history = new History({ brokerId: bus.brokerId, store: bus.store.history, clock, hasFunction: (tenantId, functionName) => registry.find(tenantId, functionName) !== undefined, log: log.child({ component: "history" }) });
  const ended: FinishedOptions["ended"] = (tenantId, record, durationMs) => {
    metrics.ended(record, durationMs);
    history.ended(tenantId, record, durationMs);
    tracing?.ended(tenantId, record, durationMs === undefined);
  };
  const finished = tellFinished({ records, hub, ended, log: invocationLog });
  const dispatcher = new Dispatcher({ bus, clock, registry, roster, credentials, limits, tracing, finished });
  const elsewhere = createInflightElsewhere(bus, dispatcher.inflight);
  const webhookContext = { clock, allow: createAllowList(webhookAllow), resolve: resolveHost, send: createSender(clock) };
  const webhooks = { secrets: (tenantId: TenantId) => webhookSecrets.signing(tenantId, clock.date()), deliver: (delivery: WebhookDelivery) => deliverWebhook(delivery, webhookContext) };
  const queueLog = log.child({ component: "queue" });
  const queue = new Queue({ bus, clock, registry, roster, credentials, asker, webhooks, onceWithinMs: limits.backlogWaitMs ?? defaultInvocationLimits.backlogWaitMs, refusal: () => durability.refusal(), tracing, ended: tellEnded({ hub, ended, queueEnded: (record, isDead) => metrics.queueEnded(record, isDead), log: queueLog }), log: queueLog });
  const schedules = new Schedules({
    store: bus.store,
    clock,
    brokerId: bus.brokerId,
    brokers: () => queue.brokers,
    accept: (run) => queue.accept(run),
    hasFunction: (tenantId, functionName) => registry.find(tenantId, functionName) !== undefined,
    log: log.child({ component: "schedules" }),
  });
  const invocations = new Invocations({ inflight: dispatcher.inflight, elsewhere, records, queue });

  const recordPages = new RecordPages({
    readers: [records, bus.store.queue],
    unreadable: ({ invocationId }) => {
      metrics.unreadableRecord();
      invocationLog.debug({ invocationId }, "record left out of a page: it cannot be read");
    },
  });

  /** An agent tells what became of a run of another broker; only of functions that it may run. */
  const takeOrphan = (from: AgentAddress, frame: Frame): void => {
    const read = readOrphan(frame);
    const tenantId = read.orphan.tenantId as TenantId;
    const isKnown = registry.find(tenantId, read.orphan.functionName as FunctionName) !== undefined;
    const mayRun = joined.site(from.siteId)?.tenants?.includes(tenantId) !== false && joined.agent(from.agentId) !== undefined;
    if (isKnown && mayRun) storeOrphan({ records, hub, ended, log: invocationLog }, tenantId, recordOfOrphan(read, from, clock.date()), read.body);
  };
  bus.listen({ heartbeat: (from, heartbeat) => roster.heartbeat(from, heartbeat), introduction: (from, introduction) => roster.introduction(from, introduction), orphan: takeOrphan, outcome: (from, frame) => queue.outcome(from, frame) });

  const settings = { setCordoned: identity.agents.setCordoned.bind(identity.agents), revoke: identity.revokeAgent.bind(identity) };
  const logs = new FunctionLogs({
    roster,
    asker,
    clock,
    revisions: (tenantId, functionName) => (registry.find(tenantId, functionName as FunctionName) === undefined ? undefined : registry.revisions(tenantId, functionName as FunctionName)),
    view: async (tenantId, invocationId) => invocations.view(tenantId, parseName(invocationIdSchema, invocationId, "invocationId")),
  });

  const unready = () => problem() ?? (registry.isReady ? undefined : "the registry has not been read");

  return {
    dispatcher,
    queue,
    hub,
    logs,
    signatures: createSignatureVerifier({ find: (accessKeyId) => keyPairs.find(accessKeyId), now: () => clock.date() }),
    exchanged: (durationMs) => metrics.exchanged(durationMs),
    parts: (sockets) => ({
      functions,
      registries: {
        list: (tenantId) => credentials.list(tenantId),
        set: (tenantId, host, document) => credentials.set(tenantId, host, document, clock.date()),
        remove: (tenantId, host) => credentials.remove(tenantId, host),
      },
      awsKeys: {
        list: (tenantId) => keyPairs.list(tenantId),
        create: (tenantId) => keyPairs.create(tenantId, clock.date()),
        remove: (tenantId, accessKeyId) => keyPairs.remove(tenantId, accessKeyId),
      },
      invocations,
      records: recordPages,
      history,
      queue,
      deadLetters: new DeadLetters({ store: bus.store.queue, bodies: bus.store.bodies, queue, log: queueLog }),
      schedules,
      fleet: new FleetOperations({ roster, joined, settings, asker, nameRevision: nameFor(undefined), log }),
      webhookSecret: {
        show: (tenantId) => webhookSecrets.show(tenantId, clock.date()),
        rotate: (tenantId) => webhookSecrets.rotate(tenantId, clock.date()),
      },
      identity,
      logs,
      health: { brokerId: bus.brokerId, durability, problem: unready },
      answered: (status, durationMs) => metrics.answered(status, durationMs),
      agentMetrics: () => agentsPage(heardAgents(roster)),
      metrics: () => metrics.page({ isReady: unready() === undefined, isConnected: bus.connected, history: history.load, spans: tracing?.counts, ...dispatcher.load, ...queue.load, sockets: sockets(), agents: countStandings(roster), agentsShortOfDisk: countShortOfDisk(roster), durability: durability.state, busCounters: bus.counters }),
    }),
    async start() {
      await Promise.all([registry.start(), credentials.start(), keyPairs.start(), webhookSecrets.start()]);
      await roster.start();
      preparer.start();
      await queue.start();
      history.start();
      await schedules.start();
    },
    async drain(deadlineMs) {
      schedules.close();
      await queue.close(); // Others take it up while calls finish here.
      await dispatcher.drain(deadlineMs);
    },
    async close() {
      schedules.close();
      await queue.close();
      preparer.close();
      dispatcher.close();
      roster.close();
      await history.close();
      registry.close();
      credentials.close();
      keyPairs.close();
      webhookSecrets.close();
    },
  };
}

function countStandings(roster: Roster): ReadonlyMap<string, number> {
  const counts = new Map<string, number>(["ready", "draining", "unhealthy", "lost", "refused"].map((state) => [state, 0]));
  for (const { standing } of roster.agents()) {
    const state = standing === "unknown" ? "lost" : standing;
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return counts;
}

function* heardAgents(roster: Roster): Generator<AgentEntry> {
  for (const agent of roster.agents()) if (roster.isHeard(agent)) yield agent;
}

function countShortOfDisk(roster: Roster): number {
  let count = 0;
  for (const agent of roster.agents()) if (roster.isHeard(agent) && agent.capacity?.disk?.pressure === true) count += 1;
  return count;
}

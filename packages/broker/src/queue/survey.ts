import { acceptedProtocolVersion, type AgentAddress, type AgentId, holdingsSchema, LongshoreError, type QueueAgent, type QueueView, queueBrokerSchema, type TenantId } from "@longshore/protocol";
import type { QueueEntry, QueueStore } from "../bus/queue-store.ts";
import { partitionCount } from "../bus/queue-subjects.ts";
import type { Registry } from "../registry/registry.ts";
import type { AgentEntry } from "../roster/agent-entry.ts";
import type { Asker } from "../roster/ask-agent.ts";
import type { Roster } from "../roster/roster.ts";
import type { PresentBrokers } from "./present-brokers.ts";
import { readStored } from "./stored-invocation.ts";

export interface SurveyParts {
  readonly queue: Pick<QueueStore, "follow" | "read" | "find" | "count">;
  readonly brokers: Pick<PresentBrokers, "states">;
  readonly registry: Pick<Registry, "find">;
  readonly roster: Pick<Roster, "agents" | "get" | "isHeard" | "placement">;
  readonly asker: Asker;
  readonly nowMs: number;
  readonly tooOld: ReadonlySet<AgentEntry>;
  readonly tooOldForParts: ReadonlySet<AgentEntry>;
}

const answerWithinMs = 5_000;
/** What an agent says that it has not is looked at again, so much of it: it may have ended meanwhile. */
const mostLookedAtAgain = 100;

/**
 * Compares what the bus holds, what brokers say and what agents say of accepted work. It reads the headers of all that is queued, and
 * asks every agent: for people who look, not for programs that watch. Throws `bus_down`.
 */
export async function surveyQueue(parts: SurveyParts, tenantId: TenantId): Promise<QueueView> {
  const { queue, brokers } = parts;
  const [counted, overdue, deadLetters] = await Promise.all([countEntries(parts, tenantId), queue.count("overdue"), queue.count("dead")]);
  const { waiting, delayed, sent, oldest } = counted;
  return {
    waiting,
    delayed,
    withAgents: sent.size,
    overdue,
    deadLetters,
    partitions: partitionCount,
    ...(oldest !== undefined && { oldestWaiting: await oldestView(oldest, sentWith(oldest, sent), parts) }),
    brokers: [...brokers.states].map(([brokerId, state]) => ({ brokerId, ...(queueBrokerSchema.safeParse(state).data ?? queueBrokerSchema.parse({})) })),
    agents: await askAgents([...sent.values()], parts),
  };
}

/** All that is queued, told once by its headers: tens of thousands are not kept while they are counted. What changes meanwhile may count as it was and as it is. */
class Count {
  waiting = 0;
  delayed = 0;
  /** Of the tenant, and waiting longest. */
  oldest: QueueEntry | undefined;
  /** With agents, by invocation. */
  readonly sent = new Map<string, QueueEntry>();

  clear(): void {
    [this.waiting, this.delayed, this.oldest] = [0, 0, undefined];
    this.sent.clear();
  }

  add(entry: QueueEntry, nowMs: number, tenantId: TenantId): void {
    if (entry.sentUntilMs > 0) return void this.sent.set(`${entry.tenantId}.${entry.invocationId}`, entry);
    if (entry.notBeforeMs > nowMs) return void (this.delayed += 1);
    this.waiting += 1;
    if (entry.tenantId === tenantId && entry.notBeforeMs < (this.oldest?.notBeforeMs ?? Number.POSITIVE_INFINITY)) this.oldest = entry;
  }
}

async function countEntries({ queue, nowMs }: SurveyParts, tenantId: TenantId): Promise<Count> {
  const count = new Count();
  const follow = queue.follow("all", { restarted: () => count.clear(), queued: (entry) => count.add(entry, nowMs, tenantId) });
  await follow.ready.finally(() => follow.close());
  return count;
}

/** How much of its function is with agents. */
function sentWith({ tenantId, functionName }: QueueEntry, sent: ReadonlyMap<string, QueueEntry>): number {
  let count = 0;
  for (const entry of sent.values()) if (entry.functionName === functionName && entry.tenantId === tenantId) count += 1;
  return count;
}

async function oldestView(oldest: QueueEntry, sentBeside: number, parts: SurveyParts): Promise<NonNullable<QueueView["oldestWaiting"]>> {
  return { invocationId: oldest.invocationId, functionName: oldest.functionName, sinceMs: parts.nowMs - oldest.notBeforeMs, why: await whyWaiting(oldest, sentBeside, parts) };
}

async function whyWaiting(entry: QueueEntry, sentBeside: number, { queue, registry, roster, tooOld, tooOldForParts }: SurveyParts): Promise<string> {
  const queued = await queue.read(entry);
  if (queued === undefined) return "It is being begun, or has ended";
  try {
    const { where, payload } = readStored(queued.head, queued.invocationId);
    const revision = registry.find(entry.tenantId, entry.functionName);
    if (revision === undefined) return "Its function was deleted: it is about to be ended";
    const { maxQueuedAtOnce } = revision.spec;
    if (maxQueuedAtOnce !== undefined && sentBeside >= maxQueuedAtOnce) return `Its function has as many with agents as it may have at once (maxQueuedAtOnce: ${maxQueuedAtOnce})`;
    const choice = roster.placement.choose(revision, where, payload === undefined ? tooOld : tooOldForParts);
    if (choice instanceof LongshoreError) return choice.message;
    if (choice === "full") return "No agent that may run it has room";
    return choice === "exhausted" ? "Every agent that may run it is of a version that does not know how" : "An agent has room for it: it is about to begin";
  } catch (error) {
    return LongshoreError.from(error, "Cannot read it").message;
  }
}

function askAgents(entries: readonly QueueEntry[], parts: SurveyParts): Promise<QueueAgent[]> {
  const believed = new Map<AgentId, QueueEntry[]>();
  const addresses = new Map<AgentId, AgentAddress>();
  for (const agent of parts.roster.agents()) addresses.set(agent.address.agentId, agent.address);
  for (const entry of entries) {
    if (entry.sentTo === undefined) continue;
    const { agentId } = entry.sentTo;
    if (!addresses.has(agentId)) addresses.set(agentId, entry.sentTo);
    const ofAgent = believed.get(agentId);
    if (ofAgent === undefined) believed.set(agentId, [entry]);
    else ofAgent.push(entry);
  }
  return Promise.all([...addresses.values()].map((address) => askAgent(address, believed.get(address.agentId) ?? [], parts)));
}

async function askAgent(address: AgentAddress, believed: readonly QueueEntry[], { roster, asker, queue }: SurveyParts): Promise<QueueAgent> {
  const agent = roster.get(address.agentId);
  const heard = agent !== undefined && roster.isHeard(agent);
  const view = { siteId: address.siteId, agentId: address.agentId, heard, revoked: agent?.joined === undefined, believed: believed.length };
  if (!heard || (agent.introduction?.protocolVersion ?? 0) < acceptedProtocolVersion) return view;
  try {
    const { running, waiting, unreadable } = holdingsSchema.parse(await asker.ask(address, { ask: "holdings" }, { silenceMs: answerWithinMs }));
    const has = new Set([...running, ...waiting].map(nameOf));
    const expected = new Set(believed.map(nameOf));
    const missing = await stillStanding(believed.filter((entry) => !has.has(nameOf(entry))), queue);
    return { ...view, running: running.length, waiting: waiting.length, missing, unknown: running.filter((key) => !expected.has(nameOf(key))).length, unreadable };
  } catch {
    return view; // It did not say.
  }
}

/** How many of these are still with their agents. */
async function stillStanding(entries: readonly QueueEntry[], queue: SurveyParts["queue"]): Promise<number> {
  const again = await Promise.all(entries.slice(0, mostLookedAtAgain).map((entry) => queue.read(entry)));
  return again.filter((found) => found !== undefined).length + Math.max(0, entries.length - mostLookedAtAgain);
}

const nameOf = ({ invocationId, attempt }: Pick<QueueEntry, "invocationId" | "attempt">) => `${invocationId} ${attempt}`;

import type { Outcome } from "@longshore/protocol";
import type { EventOf, HistoryEvent } from "../history.ts";
import { agentIds, brokerIds, type ImaginedFault, tenants } from "./fleet.ts";

/** One invocation as it would go if everything kept its promise. */
export interface ImaginedInvocation {
  readonly events: readonly HistoryEvent[];
  readonly kept: readonly KeptResult[];
}

/** When a result lay in an agent's outbox. */
export interface KeptResult {
  readonly invocationId: string;
  readonly agentId: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** What everything depends on. */
export interface World {
  readonly faults: readonly ImaginedFault[];
  readonly random: () => number;
  /** When records are read a last time. */
  readonly lastReadingMs: number;
}

interface Attempt {
  readonly attempt: number;
  readonly agentId: string;
  readonly outcome: Outcome;
  readonly reason?: string;
  readonly finishedMs: number;
  /** When a broker hears of it. */
  readonly toldMs: number;
  readonly hit: ImaginedFault | undefined;
  readonly events: readonly HistoryEvent[];
}

const busKinds = new Set(["nats_kill", "power_cut", "disk_full"]);
const images: readonly { readonly gives: Outcome; readonly share: number }[] = [
  { gives: "succeeded", share: 0.9 },
  { gives: "failed", share: 0.05 },
  { gives: "timed_out", share: 0.03 },
  { gives: "oom_killed", share: 0.02 },
];
const syncLimitMs = 30_000;
const asyncLimitMs = 240_000;
const lostAfterMs = 15_000;
const waitsMs = [10_000, 60_000];

/** What becomes of one invocation that is submitted at that time, whatever is broken then. */
export function imagineInvocation(invocationId: string, atMs: number, world: World): ImaginedInvocation {
  const terms = imagineTerms(invocationId, atMs, world);
  const { mode, brokerId } = terms;
  const away = world.faults.find((fault) => isOn(fault, atMs) && (fault.brokerIds?.includes(brokerId) === true || busKinds.has(fault.kind)));
  if (away !== undefined) return { events: [terms, { event: "refused", atMs: atMs + 40, invocationId, call: 0, reason: away.brokerIds === undefined ? "bus_down" : "connection_lost" }], kept: [] };
  return mode === "async" ? imagineAccepted(terms, world) : imagineCall(terms, world);
}

function imagineTerms(invocationId: string, atMs: number, { random }: World): EventOf<"submitted"> {
  const mode = random() < 0.5 ? "async" : "sync";
  let left = random();
  const image = images.find(({ share }) => (left -= share) < 0) ?? images[0];
  return {
    event: "submitted",
    atMs,
    invocationId,
    call: 0,
    mode,
    tenantId: random() < 0.7 ? "default" : "other",
    functionName: image?.gives ?? "",
    brokerId: pick(brokerIds, random),
    deadlineMs: atMs + (mode === "async" ? asyncLimitMs : syncLimitMs),
    idempotent: random() < 0.3,
    retry: random() < 0.2 ? "never" : "default",
    outcomes: image === undefined ? [] : [image.gives],
    reasons: [],
    output: `output of ${invocationId}`,
  };
}

function imagineAccepted(terms: EventOf<"submitted">, world: World): ImaginedInvocation {
  const attempts: Attempt[] = [];
  let beginMs = terms.atMs + 10;
  for (;;) {
    const attempt = imagineAttempt(terms, attempts.length + 1, whenFree(beginMs, world), world);
    attempts.push(attempt);
    if (!isRepeated(attempt, terms)) break;
    beginMs = attempt.toldMs + (waitsMs[attempts.length - 1] ?? 0);
  }
  const last = attempts.at(-1) as Attempt;
  const accepted: EventOf<"accepted"> = { event: "accepted", atMs: terms.atMs + 4, invocationId: terms.invocationId, call: 0 };
  const ends = attempts.slice(0, -1).map(({ attempt, outcome, toldMs }): HistoryEvent => ({ event: "attempt_ended", atMs: toldMs, invocationId: terms.invocationId, attempt, outcome }));
  const kept = attempts.filter(({ hit }) => hit?.kind.startsWith("link") === true).map(({ agentId, finishedMs, toldMs }) => ({ invocationId: terms.invocationId, agentId, fromMs: finishedMs, untilMs: toldMs }));
  return { events: [terms, accepted, ...attempts.flatMap(({ events }) => events), ...ends, ...readings(terms, last, world)], kept };
}

function isRepeated({ attempt, outcome }: Attempt, { idempotent, retry }: EventOf<"submitted">): boolean {
  if (retry === "never" || attempt === 3 || outcome === "succeeded" || outcome === "cancelled") return false;
  return outcome !== "lost" || idempotent;
}

function imagineCall(terms: EventOf<"submitted">, world: World): ImaginedInvocation {
  const { invocationId, brokerId, atMs } = terms;
  if (whenFree(atMs + 5, world) > atMs + 5) return { events: [terms, { event: "refused", atMs: atMs + 10, invocationId, call: 0, reason: "site_disconnected", phase: "placement" }], kept: [] };
  const attempt = imagineAttempt(terms, 1, atMs + 5, world);
  const records = readings(terms, attempt, world);
  const broken = world.faults.find((fault) => fault.brokerIds?.includes(brokerId) === true && fault.atMs > atMs && fault.atMs < attempt.toldMs);
  const left = attempt.events.some(({ event }) => event === "cancel");
  const heard: HistoryEvent[] =
    broken !== undefined ? [{ event: "refused", atMs: broken.atMs + 5, invocationId, call: 0, reason: "connection_lost" }]
    : left ? []
    : [{ event: "answered", atMs: attempt.toldMs, invocationId, call: 0, outcome: attempt.outcome, ...(attempt.reason !== undefined && { reason: attempt.reason }), agentId: attempt.agentId, ...outputOf(terms, attempt) }];
  return { events: [terms, ...attempt.events, ...heard, ...records], kept: [] };
}

function imagineAttempt(terms: EventOf<"submitted">, attempt: number, beginMs: number, { faults, random }: World): Attempt {
  const { invocationId } = terms;
  const agentId = pick(freeAgents(beginMs, faults), random);
  const runId = `${invocationId}-${attempt}`;
  const endMs = beginMs + 20 + random() ** 3 * 3_000;
  const began: EventOf<"began"> = { event: "began", atMs: beginMs, invocationId, runId, agentId, ...(random() < 0.5 && { attempt }) };
  const hits = faults.filter((fault) => fault.atMs > beginMs && fault.atMs < endMs && (fault.agentIds?.includes(agentId) === true || (terms.mode === "sync" && busKinds.has(fault.kind))));
  const hit = hits.find(({ kind }) => kind === "agent_kill") ?? hits.find(({ kind }) => kind.startsWith("engine")) ?? hits[0];
  const ended = (how: "succeeded" | "failed" | "killed", at: number): EventOf<"ended"> => ({ event: "ended", atMs: at, invocationId, runId, how, ...(how === "succeeded" && { output: terms.output }) });
  const gives = terms.outcomes[0] ?? "succeeded";
  const byItself = ended(gives === "succeeded" || gives === "failed" ? gives : "killed", endMs);
  const isCancelled = hit === undefined && random() < (faults.some((fault) => fault.kind === "cancels" && isOn(fault, beginMs)) ? 0.3 : 0.01);
  if (isCancelled) {
    const atMs = (beginMs + endMs) / 2;
    const cancel: EventOf<"cancel"> = { event: "cancel", atMs, invocationId, call: 0, how: terms.mode === "sync" ? "caller_left" : "request" };
    return { attempt, agentId, outcome: "cancelled", finishedMs: atMs + 9, toldMs: atMs + 10, hit, events: [began, cancel, ended("killed", atMs + 8)] };
  }
  const fate = fateOf(hit, terms, byItself, gives);
  const { killedMs, ...told } = fate;
  return { attempt, agentId, hit, ...told, events: [began, killedMs === undefined || killedMs > endMs ? byItself : ended("killed", killedMs)] };
}

/** What a fault makes of a run that would have ended by itself. */
function fateOf(hit: ImaginedFault | undefined, { mode, deadlineMs }: EventOf<"submitted">, byItself: EventOf<"ended">, gives: Outcome) {
  const usual = { outcome: gives, finishedMs: byItself.atMs + 2, toldMs: byItself.atMs + 4, killedMs: undefined };
  if (hit === undefined) return usual;
  const lost = (at: number, killedMs?: number) => ({ outcome: "lost" as const, reason: "agent_lost", finishedMs: at, toldMs: at + 2, killedMs });
  const noticedMs = Math.min(hit.atMs + lostAfterMs, deadlineMs);
  switch (hit.kind) {
    case "container_kill":
    case "container_remove":
      return { outcome: "failed" as const, finishedMs: hit.atMs + 20, toldMs: hit.atMs + 22, killedMs: hit.atMs };
    case "agent_kill":
      return lost(mode === "sync" ? noticedMs : Math.max(hit.toMs, byItself.atMs) + 50, hit.toMs);
    case "engine_kill":
    case "engine_restart":
    case "engine_hang":
      return lost(hit.atMs + 500, hit.atMs);
    case "nats_kill":
    case "power_cut":
    case "disk_full":
      return { outcome: "lost" as const, reason: "bus_down", finishedMs: hit.atMs + 10, toldMs: hit.atMs + 12, killedMs: undefined };
    default:
      if (mode === "sync" && hit.toMs > noticedMs) return lost(noticedMs);
      return { ...usual, toldMs: Math.max(usual.toldMs, hit.toMs + 4) };
  }
}

function readings(terms: EventOf<"submitted">, last: Attempt, { lastReadingMs }: World): HistoryEvent[] {
  const { invocationId, tenantId, atMs } = terms;
  const { attempt, agentId, outcome, reason, finishedMs, toldMs } = last;
  const told = { event: "record" as const, invocationId, outcome, attempt, agentId, finishedMs, ...(reason !== undefined && { reason }), ...outputOf(terms, last), timings: { placementMs: 1.5, runMs: 12, totalMs: finishedMs - atMs } };
  const markers = outcome === "succeeded" ? [tenants[tenantId as keyof typeof tenants]] : [];
  return [
    { ...told, atMs: Math.max(toldMs, finishedMs) + 30, readFrom: "broker-1" },
    { ...told, atMs: lastReadingMs, readFrom: "broker-2" },
    { event: "markers_seen", atMs: toldMs + 30, tenantId, where: "result", markers, invocationId },
  ];
}

const outputOf = ({ output }: EventOf<"submitted">, { outcome }: Attempt) => (outcome === "succeeded" && output !== undefined ? { output } : {});
const isOn = (fault: ImaginedFault, atMs: number) => fault.atMs <= atMs && atMs <= fault.toMs;
const freeAgents = (atMs: number, faults: readonly ImaginedFault[]) => agentIds.filter((id) => !faults.some((fault) => isOn(fault, atMs) && fault.agentIds?.includes(id) === true));

/** The first moment from then on at which any agent can take work, and the bus carries it. */
function whenFree(atMs: number, { faults }: World): number {
  const busAway = faults.find((fault) => busKinds.has(fault.kind) && isOn(fault, atMs));
  if (busAway !== undefined) return whenFree(busAway.toMs + 1, { faults } as World);
  if (freeAgents(atMs, faults).length > 0) return atMs;
  return whenFree(Math.min(...faults.filter((fault) => isOn(fault, atMs) && fault.agentIds !== undefined).map(({ toMs }) => toMs)) + 1, { faults } as World);
}

function pick<Value>(values: readonly Value[], random: () => number): Value {
  return values[Math.floor(random() * values.length)] as Value;
}

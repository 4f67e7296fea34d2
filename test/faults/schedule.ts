import { type FaultKind, faultKinds } from "./fault-kinds.ts";
import { seededRandom } from "../../packages/broker/src/testing/random.ts";

/** A fault to come. Times from the beginning of the faults, milliseconds. */
export interface PlannedFault {
  readonly faultId: string;
  readonly atMs: number;
  readonly kind: FaultKind;
  readonly target: string;
  readonly healAfterMs: number;
}

/** What there is to be broken: targets of each kind that the harness can do here (`agent-a`, or `agent-a@after_start_record` at a failpoint). */
export type Targets = Partial<Readonly<Record<FaultKind, readonly string[]>>>;

export interface ScheduleOptions {
  readonly seed: number;
  /** At least 2, heal and drain included. */
  readonly minutes: number;
  readonly targets: Targets;
}

/** Faults in rounds, each of some kinds with a calm after it; all are healed `drainMs` before `endMs`. */
export interface Schedule {
  readonly seed: number;
  /** In order of time. */
  readonly faults: readonly PlannedFault[];
  readonly rounds: readonly { readonly fromMs: number; readonly kinds: readonly FaultKind[] }[];
  /** Everything is healed, and nothing is broken any more. */
  readonly healedMs: number;
  readonly endMs: number;
}

/** A round: faults begin in its first part, and are healed before its calm, which is long enough to look for what is left 30 s after heal. */
const roundMs = 120_000;
const calmMs = 45_000;
const drainMs = 60_000;
const fewestMinutes = 2;
const mostKindsAtOnce = 4;
const mostOfAKind = 3;

/** How long each lasts, shortest and longest. A freeze must outlast what makes a process lost (15 s); a storm and cancels are one moment each. */
const lastsMs: Readonly<Record<FaultKind, readonly [number, number]>> = {
  broker_kill: [1_000, 10_000],
  broker_freeze: [30_000, 30_000],
  agent_kill: [1_000, 25_000],
  agent_freeze: [2_000, 30_000],
  engine_kill: [2_000, 15_000],
  engine_restart: [1_000, 5_000],
  engine_hang: [12_000, 30_000],
  container_kill: [100, 100],
  container_remove: [100, 100],
  nats_kill: [500, 8_000],
  power_cut: [1_000, 8_000],
  disk_full: [5_000, 20_000],
  link_cut: [2_000, 30_000],
  link_black_hole: [5_000, 30_000],
  link_one_way: [5_000, 30_000],
  link_flap: [5_000, 20_000],
  reconnect_storm: [1_000, 1_000],
  cancels: [5_000, 20_000],
};
/** A process with a failpoint is given that long to come to it. */
const reachedWithinMs = [10_000, 25_000] as const;
/** Of these there may be several a round; the others stop too much for that. */
const frequent = new Set<FaultKind>(["container_kill", "container_remove", "agent_kill", "link_flap", "broker_kill", "nats_kill"]);

/**
 * Which faults come when: the same for the same seed, minutes and targets. Kinds are dealt like cards, so that every one had its turn before
 * any comes again, and stand together in ever other company; no target has two faults at once. Throws on too few minutes.
 */
export function planFaults({ seed, minutes, targets }: ScheduleOptions): Schedule {
  if (!(minutes >= fewestMinutes)) throw new Error(`Cannot plan faults for ${minutes} minutes: with heal and drain it takes at least ${fewestMinutes}`);
  const random = seededRandom(seed);
  const endMs = minutes * 60_000;
  const deal = dealer(faultKinds.filter((kind) => (targets[kind] ?? []).length > 0), random);
  const rounds: { fromMs: number; kinds: FaultKind[] }[] = [];
  const faults: Omit<PlannedFault, "faultId">[] = [];
  const count = Math.max(1, Math.floor((endMs - drainMs) / roundMs));
  const lengthMs = (endMs - drainMs) / count;
  for (let round = 0; round < count; round += 1) {
    const kinds = deal(1 + Math.floor(random() * mostKindsAtOnce));
    const fromMs = round * lengthMs;
    rounds.push({ fromMs, kinds });
    faults.push(...planRound(kinds, targets, fromMs, fromMs + lengthMs - (round === count - 1 ? 0 : calmMs), random));
  }
  const ordered = faults.sort((a, b) => a.atMs - b.atMs).map((fault, index): PlannedFault => ({ faultId: `f${index + 1}`, ...fault }));
  return { seed, faults: ordered, rounds, healedMs: Math.max(0, ...ordered.map(({ atMs, healAfterMs }) => atMs + healAfterMs)), endMs };
}

/** Gives so many different ones at a time, and each once before any again. */
function dealer<Card>(cards: readonly Card[], random: () => number): (count: number) => Card[] {
  let deck: Card[] = [];
  return (count) => {
    const hand: Card[] = [];
    while (hand.length < Math.min(count, cards.length)) {
      if (deck.length === 0) deck = shuffled(cards, random);
      const index = deck.findIndex((card) => !hand.includes(card));
      hand.push(...deck.splice(index === -1 ? deck.length : index, 1));
      if (index === -1) deck = shuffled(cards.filter((card) => !hand.includes(card)), random);
    }
    return hand;
  };
}

function shuffled<Card>(cards: readonly Card[], random: () => number): Card[] {
  const keyed = cards.map((card) => ({ card, key: random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ card }) => card);
}

function planRound(kinds: readonly FaultKind[], targets: Targets, fromMs: number, untilMs: number, random: () => number): Omit<PlannedFault, "faultId">[] {
  const planned: Omit<PlannedFault, "faultId">[] = [];
  for (const kind of kinds) {
    const times = frequent.has(kind) ? 1 + Math.floor(random() * mostOfAKind) : 1;
    for (let time = 0; time < times; time += 1) {
      const fault = planFault(kind, targets[kind] ?? [], fromMs, untilMs, random);
      if (!planned.some((other) => placeOf(other.target) === placeOf(fault.target) && areAtOnce(other, fault))) planned.push(fault);
    }
  }
  return planned;
}

function planFault(kind: FaultKind, targets: readonly string[], fromMs: number, untilMs: number, random: () => number): Omit<PlannedFault, "faultId"> {
  const target = targets[Math.floor(random() * targets.length)] ?? "";
  const [shortest, longest] = target.includes("@") ? reachedWithinMs : lastsMs[kind];
  const healAfterMs = Math.round(shortest + random() * (longest - shortest));
  const atMs = Math.round(fromMs + random() * (untilMs - fromMs - healAfterMs));
  return { atMs, kind, target, healAfterMs };
}

/** What a target is, without its failpoint. */
export const placeOf = (target: string): string => target.split("@")[0] ?? "";

function areAtOnce(one: Omit<PlannedFault, "faultId">, other: Omit<PlannedFault, "faultId">): boolean {
  return one.atMs <= other.atMs + other.healAfterMs && other.atMs <= one.atMs + one.healAfterMs;
}

/** A schedule for people, one fault a line, its seed first: what is to be printed before a run. */
export function describeSchedule({ seed, faults, healedMs, endMs }: Schedule): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const lines = faults.map(({ faultId, atMs, kind, target, healAfterMs }) => `${seconds(atMs).padStart(9)}  ${faultId} ${kind} of ${target}, healed after ${seconds(healAfterMs)}`);
  return [`seed ${seed}: ${faults.length} faults, all healed by ${seconds(healedMs)}, over at ${seconds(endMs)}`, ...lines].join("\n");
}

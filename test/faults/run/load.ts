import { createInvocationId, type Outcome } from "@longshore/protocol";
import { setTimeout as delay } from "node:timers/promises";
import type { HarnessClock } from "../harness-clock.ts";
import type { HistoryWriter } from "../history-file.ts";
import { type Act, answerTo, briefAnswer, outcomeOf, type Part, type Stage } from "./actor.ts";
import type { FaultyBroker } from "./fleet.ts";
import { ask, documentOf, type HttpAnswer } from "./http.ts";
import type { Tenant } from "./tenants.ts";

export interface LoadOptions {
  readonly brokers: readonly Pick<FaultyBroker, "brokerId" | "url">[];
  readonly stages: readonly Stage[];
  readonly history: HistoryWriter;
  readonly clock: HarnessClock;
  readonly random: () => number;
  /** Invocations a second. */
  readonly ratePerSecond: number;
  readonly tenants: readonly Tenant[];
  /** False: what is repeated after a failure does not fail by itself, since repetition takes minutes. */
  readonly repeatsFailures: boolean;
  readonly pace: Pace;
}

/** What callers ask for: `mixed`, all that there is; `brief`, so little each that a machine does a hundred a second of it. */
export const paces = ["mixed", "brief"] as const;
export type Pace = (typeof paces)[number];

/** How long accepted work may wait for its beginnings. */
const maxAgeMs = 180_000;
/** A submission whose answer is lost is sent again, under the same id, for that long. */
const submitForMs = 90_000;
const submitPatienceMs = 10_000;
/** A sync call has that much more than its function may take; a caller that has heard nothing a while after that leaves. */
const [syncSpareMs, syncPatienceMs] = [6_000, 900];
/** After the last beginning. */
const runMs = 30_000;
/** What a caller may truly hear of a machine that is busy, without any fault. */
const busyReasons = ["deadline_passed", "no_free_slot", "backlog_full", "agent_busy"];
/** Of how many each is cancelled. */
const cancelledShare = 0.03;

interface Demand {
  /** Of what actors are asked to do. */
  readonly shares: readonly (readonly [Act, number])[];
  /** The longest that an actor takes before it does it; most take far less. */
  readonly longestMs: number;
  /** Of invocations that start a program each. */
  readonly stdioShare: number;
  /** Of invocations that are accepted work; the rest are sync calls. */
  readonly asyncShare: number;
  /** Of answers so long that some of them fill a small outbox, and short enough to be kept; and how long they are. */
  readonly largeShare: number;
  readonly largeBytes: number;
  /** How long functions may take. A machine that is asked for all it has takes seconds to begin a program. */
  readonly timeoutMs: number;
}

const demands: Readonly<Record<Pace, Demand>> = {
  mixed: { shares: [["succeed", 0.84], ["fail", 0.05], ["exit", 0.04], ["eat", 0.02], ["overtime", 0.03], ["stubborn", 0.02]], longestMs: 2_500, stdioShare: 0.2, asyncShare: 0.75, largeShare: 0.1, largeBytes: 250_000, timeoutMs: 6_000 },
  brief: { shares: [["succeed", 0.9945], ["fail", 0.004], ["exit", 0.0006], ["eat", 0.0003], ["overtime", 0.0003], ["stubborn", 0.0003]], longestMs: 100, stdioShare: 0.003, asyncShare: 0.92, largeShare: 0.02, largeBytes: 60_000, timeoutMs: 20_000 },
};

/** Submits and calls at random, at a rate, through every broker, and writes down all that comes of it. */
export class Load {
  readonly #options: LoadOptions;
  readonly #underWay = new Set<Promise<void>>();
  /** What a record is to be read of. */
  readonly submitted: { readonly invocationId: string; readonly mode: "sync" | "async" }[] = [];
  cancelledShare = cancelledShare;
  largeShare: number;
  #failure: unknown;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.largeShare = demands[options.pace].largeShare;
  }

  /** Resolves once it is over and everyone has heard. */
  async run(over: AbortSignal): Promise<void> {
    const { random, ratePerSecond } = this.#options;
    // Arrivals of many independent callers: those that a busy machine kept from coming in time come at once.
    for (let dueMs = performance.now(); ; dueMs += (-Math.log(1 - random()) * 1_000) / ratePerSecond) {
      await delay(Math.max(0, dueMs - performance.now()), undefined, { signal: over }).catch(() => undefined);
      if (over.aborted) break;
      this.one();
    }
    await Promise.allSettled(this.#underWay);
    if (this.#failure !== undefined) throw new Error("Cannot go on with the load", { cause: this.#failure });
  }

  /** Begins one. */
  one(): void {
    const { random, stages, tenants, repeatsFailures, pace } = this.#options;
    const { shares, longestMs, stdioShare, asyncShare, largeBytes } = demands[pace];
    const contract = random() < stdioShare ? "stdio" : "http";
    const ofContract = stages.filter((stage) => stage.contract === contract);
    const stage = pick(ofContract.length > 0 ? ofContract : stages, random);
    const act = pickShare(shares, random());
    const { marker } = pickShare(tenants.map((tenant) => [tenant, tenant.share] as const), random());
    const part: Part = { invocationId: createInvocationId(), marker, act: repeatsFailures || stage.retry === "never" ? act : "succeed", ms: Math.round(longestMs / 100 + random() ** 3 * longestMs), padding: random() < this.largeShare ? largeBytes : 0 };
    const mode = random() < asyncShare ? "async" : "sync";
    const brokerIndex = Math.floor(random() * this.#options.brokers.length);
    const cancelAfterMs = random() < this.cancelledShare ? Math.ceil(random() * 3_000) : undefined;
    this.submitted.push({ invocationId: part.invocationId, mode });
    const story = mode === "async" ? this.#submit(stage, part, brokerIndex, cancelAfterMs) : this.#call(stage, part, brokerIndex, cancelAfterMs);
    this.#underWay.add(story);
    story.catch((error: unknown) => (this.#failure ??= error)).finally(() => this.#underWay.delete(story));
  }

  #write(stage: Stage, part: Part, mode: "sync" | "async", brokerId: string): void {
    const { history, clock } = this.#options;
    const { tenantId } = this.#tenantOf(part);
    history.write({
      event: "submitted",
      invocationId: part.invocationId,
      mode,
      tenantId,
      functionName: stage.name,
      brokerId,
      deadlineMs: clock.nowMs() + (mode === "sync" ? this.#syncDeadlineMs : submitForMs + maxAgeMs + runMs),
      ...(mode === "async" && { expiresMs: clock.nowMs() + maxAgeMs }),
      idempotent: stage.idempotent,
      retry: stage.retry,
      outcomes: [outcomeOf[part.act]],
      ...(mode === "sync" && { reasons: busyReasons }),
      output: answerTo(part),
    });
  }

  async #submit(stage: Stage, part: Part, brokerIndex: number, cancelAfterMs: number | undefined): Promise<void> {
    const { history, clock, brokers } = this.#options;
    const { invocationId } = part;
    const untilMs = clock.nowMs() + submitForMs;
    this.#write(stage, part, "async", brokers[brokerIndex]?.brokerId ?? "");
    let reason = "";
    for (let turn = brokerIndex; clock.nowMs() < untilMs; turn += 1) {
      const answer = await this.#post(stage, part, brokers[turn % brokers.length]?.url ?? "", `?mode=async&maxAgeMs=${maxAgeMs}`, {}, submitPatienceMs).catch(() => undefined);
      if (answer?.status === 202) {
        history.write({ event: "accepted", invocationId });
        if (cancelAfterMs !== undefined) await this.#cancel(part, cancelAfterMs);
        return;
      }
      reason = answer === undefined ? "connection_lost" : reasonOf(answer);
      if (answer !== undefined && answer.status < 500 && answer.status !== 429) break;
      await delay(200);
    }
    history.write({ event: "refused", invocationId, reason, phase: "admission" });
  }

  async #cancel(part: Part, afterMs: number): Promise<void> {
    const { history, brokers, random } = this.#options;
    const { invocationId } = part;
    await delay(afterMs);
    history.write({ event: "cancel", invocationId, how: "request" });
    const url = pick(brokers, random).url;
    await ask({ method: "DELETE", url: `${url}/v1/invocations/${invocationId}`, headers: this.#tenantOf(part).headers, patienceMs: submitPatienceMs }).catch(() => undefined);
  }

  async #call(stage: Stage, part: Part, brokerIndex: number, leaveAfterMs: number | undefined): Promise<void> {
    const { history, brokers } = this.#options;
    const { invocationId } = part;
    const broker = brokers[brokerIndex];
    this.#write(stage, part, "sync", broker?.brokerId ?? "");
    const patienceMs = leaveAfterMs ?? this.#syncDeadlineMs + syncPatienceMs;
    const begunMs = performance.now();
    const answer = await this.#post(stage, part, broker?.url ?? "", "", { "longshore-deadline-ms": String(this.#syncDeadlineMs) }, patienceMs).catch(() => undefined);
    if (answer !== undefined) return this.#heard(part, answer);
    const hasLeft = performance.now() - begunMs >= patienceMs;
    if (hasLeft) history.write({ event: "cancel", invocationId, how: "caller_left" });
    if (!hasLeft || leaveAfterMs === undefined) history.write({ event: "refused", invocationId, reason: "connection_lost" });
  }

  #heard({ invocationId }: Part, answer: HttpAnswer): void {
    const { history } = this.#options;
    const outcome = outcomeOfAnswer(answer);
    const agentId = answer.headers["longshore-agent"];
    if (outcome === undefined) {
      const phase = documentOf(answer)["phase"] as "admission" | undefined;
      return void history.write({ event: "refused", invocationId, reason: reasonOf(answer), ...(phase !== undefined && { phase }) });
    }
    history.write({
      event: "answered",
      invocationId,
      outcome,
      ...(typeof documentOf(answer)["reason"] === "string" && { reason: reasonOf(answer) }),
      ...(typeof agentId === "string" && { agentId }),
      ...(outcome === "succeeded" && { output: briefAnswer(answer.text) }),
    });
  }

  get #syncDeadlineMs(): number {
    return demands[this.#options.pace].timeoutMs + syncSpareMs;
  }

  #tenantOf({ marker }: Part): Tenant {
    return this.#options.tenants.find((tenant) => tenant.marker === marker) as Tenant;
  }

  #post(stage: Stage, part: Part, url: string, query: string, headers: Readonly<Record<string, string>>, patienceMs: number): Promise<HttpAnswer> {
    return ask({ method: "POST", url: `${url}/v1/functions/${stage.name}/invocations${query}`, headers: { ...this.#tenantOf(part).headers, ...headers, "content-type": "application/json", "longshore-invocation-id": part.invocationId }, body: JSON.stringify(part), patienceMs });
  }
}

/** An answer that began before its end was known says how it ended in its trailers, if at all: then its status says it. Undefined: it is no answer, but an error of ours. */
function outcomeOfAnswer({ status, headers }: HttpAnswer): Outcome | undefined {
  const told = headers["longshore-result"];
  if (typeof told === "string") return told as Outcome;
  if (headers["content-type"] === "application/problem+json") return undefined;
  return status < 400 ? "succeeded" : "failed";
}

/** The longest that accepted work may take until it has its record, from its submission. */
export const recordWithinMs = (pace: Pace): number => submitForMs + maxAgeMs + runMs + 3 * demands[pace].timeoutMs;

/** The stages as a pace has them. */
export const paced = (stages: readonly Stage[], pace: Pace): Stage[] => stages.map((stage) => ({ timeoutMs: demands[pace].timeoutMs, ...stage }));

function reasonOf(answer: HttpAnswer): string {
  const { reason } = documentOf(answer);
  return typeof reason === "string" ? reason : `http_${answer.status}`;
}

/** `at`: between 0 and 1. */
function pickShare<Value>(shares: readonly (readonly [Value, number])[], at: number): Value {
  let sum = 0;
  const found = shares.findIndex(([, share]) => at < (sum += share));
  return shares.map(([value]) => value).at(found) as Value; // Rounding may leave a gap behind the last.
}

function pick<Value>(values: readonly Value[], random: () => number): Value {
  return values[Math.floor(random() * values.length)] as Value;
}

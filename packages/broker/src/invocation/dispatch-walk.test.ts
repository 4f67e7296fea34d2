import type { FunctionName, InvocationId, Phase, Reason } from "@longshore/protocol";
import { reasons } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../testing/random.ts";
import type { FakeExchange } from "./testing/fake-bus.ts";
import { type Call, InvocationScene } from "./testing/invocation-scene.ts";

const agents = ["a1", "a2", "a3"] as const;
const refusals: readonly (readonly [Reason, Phase])[] = [
  ["agent_busy", "admission"],
  ["agent_draining", "admission"],
  ["revision_unknown", "admission"],
  ["engine_unavailable", "startup"],
  ["instance_start_failed", "startup"],
  ["unexpected", "execution"],
];

/** One agent's side of an order: what it has sent so far. */
interface Played {
  readonly exchange: FakeExchange;
  parts: number;
  hasAnswered: boolean;
  /** Something came, or was lost, after which the function may have begun. */
  mayHaveBegun: boolean;
}

class Walk {
  readonly scene = new InvocationScene({ backlogPerFunction: 4 });
  readonly calls: { readonly call: Call; readonly name: string; readonly latestMs: number }[] = [];
  readonly #open = new Set<Walk["calls"][number]>();
  readonly #played = new Map<FakeExchange, Played>();
  readonly #random: () => number;
  readonly #where: string;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#where = `seed ${seed}`;
    this.scene.deploy({ document: { name: "once", timeoutMs: 20_000, stopGraceMs: 1_000 } });
    this.scene.deploy({ document: { name: "again", timeoutMs: 20_000, stopGraceMs: 1_000, idempotent: true } });
    for (const name of agents) this.scene.agent(name, 2);
  }

  step(): void {
    const at = this.#random();
    if (at < 0.25) this.#invoke();
    else if (at < 0.6) this.#answer();
    else if (at < 0.68) this.#cancel();
    else if (at < 0.8) this.scene.freed(this.#pick(agents), 2);
    else if (at < 0.83) this.scene.bus.isDown = !this.scene.bus.isDown;
    else if (at < 0.85) this.scene.fleet.introduction(this.#pick(agents), { incarnation: `process-${this.#random()}` });
    else this.scene.clock.advance(Math.floor(this.#random() * 3_000));
    this.#check();
  }

  /** Lets time pass until everything must be over. */
  finish(): void {
    this.scene.clock.advance(60_000);
    for (const each of this.calls) this.#checkCall(each);
    for (const { call } of this.calls) expect(call.front.endings, this.#where).toHaveLength(1); // N1
    expect(this.scene.closings, this.#where).toHaveLength(this.calls.length);
    expect(this.scene.dispatcher.load, this.#where).toEqual({ waiting: 0, running: 0 });
    for (const exchange of this.scene.bus.exchanges) expect(exchange.isClosed, this.#where).toBe(true); // N4
    expect(this.scene.clock.pending, this.#where).toBe(1); // The roster's own.
  }

  #invoke(): void {
    const name = this.#pick(["once", "again"]);
    const call = this.scene.invoke({ functionName: name as FunctionName, detach: this.#random() < 0.2, isSlow: this.#random() < 0.3, more: this.#random() < 0.2 });
    const made = { call, name, latestMs: this.scene.clock.nowMs() + 20_000 + 1_000 + 6_000 };
    this.calls.push(made);
    this.#open.add(made);
  }

  #answer(): void {
    const open = this.scene.bus.exchanges.filter(({ isClosed }) => !isClosed);
    if (open.length === 0) return;
    const played = this.#playedOf(this.#pick(open));
    const { exchange } = played;
    const at = this.#random();
    if (at < 0.25) this.#refuse(played);
    else if (at < 0.35) {
      const why = this.#pick(["no_responders", "bus_down", "bad_frame"] as const);
      played.mayHaveBegun ||= why !== "no_responders";
      exchange.fails(why);
    } else if (at < 0.45) {
      played.mayHaveBegun = true;
      exchange.receive({ kind: "credit", bytes: 1_000 });
    } else this.#goOn(played);
  }

  #goOn(played: Played): void {
    const { exchange } = played;
    played.mayHaveBegun = true;
    if (!played.hasAnswered && this.#random() < 0.5) exchange.complete("done");
    else if (!played.hasAnswered) {
      played.hasAnswered = true;
      exchange.head();
    } else if (this.#random() < 0.6) exchange.data((played.parts += 1), new Uint8Array(60_000));
    else exchange.end({ sequenceCount: this.#random() < 0.9 ? played.parts : played.parts + 1, result: { outcome: "succeeded" } });
  }

  #refuse(played: Played): void {
    const [reason, phase] = this.#pick(refusals);
    played.mayHaveBegun ||= phase === "execution";
    played.exchange.refuse({ code: reasons[reason].code, reason, phase, message: "no" });
  }

  #cancel(): void {
    const under = [...this.scene.dispatcher.inflight];
    if (under.length === 0) return;
    const invocation = this.#pick(under);
    if (this.#random() < 0.5) invocation.cancelById();
    else invocation.cancel(this.#pick(["abandoned", "requested"] as const));
  }

  #check(): void {
    for (const each of this.#open) {
      this.#checkCall(each);
      if (each.call.front.endings.length > 0) this.#open.delete(each);
    }
  }

  #checkCall({ call, name, latestMs }: Walk["calls"][number]): void {
    const { endings, told } = call.front;
    expect(endings.length, this.#where).toBeLessThanOrEqual(1); // N1
    expect(endings.length === 0 || told.at(-1) === endings[0], `${this.#where}: ${told.join(", ")}`).toBe(true);
    if (this.scene.clock.nowMs() > latestMs) expect(endings, this.#where).toHaveLength(1); // N3
    this.#checkSends(call.invocationId, name);
  }

  /** Of one invocation at most one order is open; after one that may have begun, none follows unless it is idempotent and nothing was told. */
  #checkSends(invocationId: InvocationId, name: string): void {
    const sent = this.scene.bus.exchanges.filter(({ order }) => order.invocationId === invocationId);
    expect(sent.filter(({ isClosed }) => !isClosed).length, this.#where).toBeLessThanOrEqual(1);
    for (const exchange of sent.slice(0, -1)) {
      const { mayHaveBegun, hasAnswered } = this.#playedOf(exchange);
      expect(hasAnswered || (mayHaveBegun && name === "once"), `${this.#where}: sent again`).toBe(false); // N2
    }
  }

  #playedOf(exchange: FakeExchange): Played {
    const known = this.#played.get(exchange) ?? { exchange, parts: 0, hasAnswered: false, mayHaveBegun: false };
    this.#played.set(exchange, known);
    return known;
  }

  #pick<T>(values: readonly T[]): T {
    const value = values[Math.floor(this.#random() * values.length)];
    if (value === undefined) throw new Error("there is nothing to pick from");
    return value;
  }
}

describe("invocations, whatever callers, agents and the bus do (seeded walks)", () => {
  it("end once, in time, and are never sent again when they may have begun", () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const walk = new Walk(seed);
      for (let step = 0; step < 120; step += 1) walk.step();
      walk.finish();
    }
  });
});

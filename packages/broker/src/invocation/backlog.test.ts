import { describe, expect, it } from "vitest";
import type { FunctionName, SiteId } from "@longshore/protocol";
import { shareIn } from "../roster/testing/test-fleet.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { seededRandom } from "../testing/random.ts";
import { Backlog, type Waiting } from "./backlog.ts";
import { type Call, InvocationScene } from "./testing/invocation-scene.ts";

const busy = { code: "resource_exhausted", reason: "agent_busy", phase: "admission", message: "no" } as const;

function sceneOf(limits = {}): InvocationScene {
  const scene = new InvocationScene(limits);
  scene.deploy();
  scene.agent("a1");
  return scene;
}

describe("a call that finds no slot", () => {
  it("waits, and goes out when a heartbeat tells of one", () => {
    const scene = sceneOf();
    scene.invoke();
    const call = scene.invoke();
    expect(scene.dispatcher.load).toEqual({ waiting: 1, running: 1 });
    scene.freed("a1");
    scene.settle();
    expect(scene.exchangeOf(call).order.remainingMs).toBe(29_995);
    scene.exchangeOf(call).complete();
    expect(call.front.told).toEqual(["complete succeeded"]);
  });

  it("goes out when another agent comes", () => {
    const scene = sceneOf();
    scene.invoke();
    const call = scene.invoke();
    scene.agent("a2");
    scene.settle();
    expect(scene.exchangeOf(call).agent.agentId).toBe("a2");
  });

  it("is told that the line is full, and when to come again", () => {
    const scene = sceneOf({ backlogPerFunction: 2 });
    scene.invoke();
    scene.invoke();
    scene.invoke();
    const call = scene.invoke();
    expect(call.front.told).toEqual(["fail backlog_full"]);
    expect(call.front.error).toMatchObject({ phase: "placement", retryAfterMs: 1_000, httpStatus: 429 });
    expect(scene.dispatcher.load).toEqual({ waiting: 2, running: 1 });
  });

  it("is told after the longest wait that there was no slot, and when to come again", () => {
    const scene = sceneOf();
    scene.invoke();
    const call = scene.invoke();
    scene.clock.advance(9_999);
    expect(call.front.told).toEqual([]);
    scene.clock.advance(1);
    expect(call.front.told).toEqual(["fail no_free_slot"]);
    expect(call.front.error).toMatchObject({ phase: "placement", retryAfterMs: 1_000, httpStatus: 429 });
    expect(scene.closingOf(call)).toMatchObject({ isRecorded: true, attempt: 0, result: { outcome: "rejected" } });
  });

  it("is told at its deadline that it passed", () => {
    const scene = sceneOf();
    scene.invoke();
    const call = scene.invoke({ timeoutMs: 3_000 });
    scene.clock.advance(3_000);
    expect(call.front.told).toEqual(["fail deadline_passed"]);
    expect(call.front.error).toMatchObject({ phase: "placement", httpStatus: 504 });
  });

  it("is told at its deadline that it passed, though a timer came a hair early", () => {
    const scene = sceneOf();
    scene.invoke();
    const call = scene.invoke({ timeoutMs: 3_000 });
    const { clock } = scene;
    const nowMs = clock.nowMs.bind(clock);
    clock.nowMs = () => nowMs() - 0.5;
    clock.advance(3_000);
    expect(call.front.told).toEqual(["fail deadline_passed"]);
  });

  it("waits no longer in all, however often it is sent and refused", () => {
    const scene = sceneOf();
    const call = scene.invoke();
    for (let second = 0; second < 9; second += 1) {
      scene.exchangeOf(call).refuse(busy);
      scene.clock.advance(1_000);
      scene.freed("a1");
      scene.settle();
    }
    scene.exchangeOf(call).refuse(busy);
    scene.clock.advance(1_000);
    expect(call.front.told).toEqual(["fail no_free_slot"]);
  });

  it("goes before those that came later, also after an agent refused it", () => {
    const scene = sceneOf();
    const [first, second, third] = [0, 1, 2].map(() => {
      scene.clock.advance(1);
      return scene.invoke();
    }) as [Call, Call, Call];
    scene.exchangeOf(first).refuse(busy);
    const order = [];
    for (let at = 0; at < 3; at += 1) {
      scene.freed("a1");
      scene.settle();
      order.push(scene.bus.last().order.invocationId);
      scene.bus.last().complete();
    }
    expect(order).toEqual([first, second, third].map(({ invocationId }) => invocationId));
  });

  it("does not stand in the way of calls that may go elsewhere", () => {
    const scene = sceneOf();
    scene.invoke();
    scene.invoke();
    scene.fleet.ready("c1", { site: "cloud" });
    const elsewhere = scene.invoke({ where: { site: "cloud" as SiteId } });
    expect(scene.exchangeOf(elsewhere).agent.agentId).toBe("c1");
  });

  it("does not wait for a function whose image is on no agent: that is said", () => {
    const scene = new InvocationScene();
    scene.deploy({ image: { local: true } });
    scene.agent("a1");
    const call = scene.invoke();
    scene.clock.advance(10_000);
    expect(call.front.told).toEqual(["fail no_agent_eligible"]);
  });

  it("ends once when the bus is down as a slot comes free, and so do all that wait", () => {
    const scene = new InvocationScene();
    const revision = scene.deploy();
    const warm = shareIn(revision, { instances: 1, freeSlots: 1 });
    scene.fleet.ready("a1", { heartbeat: { instancesFree: 0, revisions: [warm] } });
    const running = scene.invoke();
    const waiting = [scene.invoke(), scene.invoke(), scene.invoke()];
    scene.bus.isDown = true;
    scene.exchangeOf(running).fails("bus_down");
    scene.settle();
    for (const { front } of waiting) expect(front.told).toEqual(["fail bus_down"]);
    expect(scene.dispatcher.load).toEqual({ waiting: 0, running: 0 });
    expect(scene.closings).toHaveLength(4);
  });
});

describe("two functions on one agent", () => {
  it("do not starve each other: one that keeps its slot busy lets the other in", () => {
    const scene = sceneOf();
    scene.deploy({ document: { name: "other" } });
    let current = scene.invoke();
    const starved = scene.invoke({ functionName: "other" as FunctionName });
    for (let turn = 0; turn < 8 && scene.bus.last().order.invocationId !== starved.invocationId; turn += 1) {
      scene.invoke();
      scene.exchangeOf(current).complete();
      scene.freed("a1");
      scene.settle();
      const next = scene.bus.last();
      current = { ...current, invocationId: next.order.invocationId };
    }
    expect(scene.bus.last().order.invocationId).toBe(starved.invocationId);
  });
});

/** One that waits, and is placed while there are slots. */
class FakeWaiting implements Waiting {
  readonly whereKey: string;
  readonly arrivedMs: number;
  readonly name: string;
  ending: "placed" | "expired" | undefined;
  readonly #take: (waiting: FakeWaiting) => boolean;

  constructor(name: string, whereKey: string, arrivedMs: number, take: (waiting: FakeWaiting) => boolean) {
    this.name = name;
    this.whereKey = whereKey;
    this.arrivedMs = arrivedMs;
    this.#take = take;
  }

  tryPlace(): boolean {
    if (this.ending !== undefined) throw new Error(`${this.name} was tried after its end`);
    if (!this.#take(this)) return false;
    this.ending = "placed";
    return true;
  }

  expire(): void {
    if (this.ending !== undefined) throw new Error(`${this.name} expired after its end`);
    this.ending = "expired";
  }
}

describe("the backlog", () => {
  it("keeps its invariants whatever happens (seeded walks)", () => {
    for (let seed = 1; seed <= 60; seed += 1) walk(seed);
  });

  it("ends a wait by what a call does that is placed", () => {
    const clock = new ManualClock();
    const backlog = new Backlog(clock, 10);
    const second = new FakeWaiting("second", "", 0, () => true);
    const first = new FakeWaiting("first", "", 0, () => {
      backlog.slotFreed("f"); // It failed at once, and gives its slot back.
      return true;
    });
    backlog.enter("f", first, 1_000);
    backlog.enter("f", second, 1_000);
    backlog.slotFreed("f");
    clock.advance(10);
    expect([first.ending, second.ending, backlog.size]).toEqual(["placed", "placed", 0]);
    expect(clock.pending).toBe(0);
  });

  it("loses nobody who enters while the last of a line leaves", () => {
    const clock = new ManualClock();
    const backlog = new Backlog(clock, 10);
    const late = new FakeWaiting("late", "", 0, () => false);
    const line: { leave?: (() => void) | undefined } = {};
    const first = new FakeWaiting("first", "", 0, () => {
      line.leave?.(); // It ended instead of being sent, and its caller comes again at once.
      backlog.enter("f", late, 1_000);
      return true;
    });
    line.leave = backlog.enter("f", first, 1_000);
    backlog.slotFreed("f");
    expect(backlog.hasLine("f", "")).toBe(true);
    clock.advance(1_000);
    expect([late.ending, backlog.size]).toEqual(["expired", 0]);
  });
});

function walk(seed: number): void {
  const random = seededRandom(seed);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const clock = new ManualClock();
  const backlog = new Backlog(clock, 5);
  const slots = new Map([["f", 0], ["g", 0], ["h", 0]]);
  const inLine = new Map<FakeWaiting, { key: string; leave: () => void }>();
  let made = 0;
  for (let step = 0; step < 200; step += 1) {
    const key = pick([...slots.keys()]);
    const action = random();
    if (action < 0.5) {
      made += 1;
      const waiting = new FakeWaiting(`${key}${made}`, pick(["", "site=a"]), clock.nowMs(), (self) => {
        const free = slots.get(key) ?? 0;
        if (free === 0) return false;
        slots.set(key, free - 1);
        for (const [other, { key: otherKey }] of inLine) {
          const isAhead = otherKey === key && other.whereKey === self.whereKey && other.ending === undefined && other !== self && other.arrivedMs < self.arrivedMs;
          expect(isAhead, `seed ${seed}: ${self.name} went before ${other.name}`).toBe(false); // B1
        }
        return true;
      });
      const leave = backlog.enter(key, waiting, 50 + Math.floor(random() * 500));
      const length = [...inLine].filter(([each, line]) => line.key === key && each.ending === undefined).length;
      expect(leave === undefined, `seed ${seed}`).toBe(length >= 5); // B2
      if (leave !== undefined) inLine.set(waiting, { key, leave });
    } else if (action < 0.7) {
      slots.set(key, (slots.get(key) ?? 0) + 1);
      if (random() < 0.5) backlog.slotFreed(key);
      else backlog.capacityChanged();
    } else if (action < 0.8) {
      const [gone] = [...inLine].filter(([waiting]) => waiting.ending === undefined);
      if (gone !== undefined) {
        gone[1].leave();
        gone[1].leave();
        inLine.delete(gone[0]);
      }
    } else {
      clock.advance(Math.floor(random() * 40));
    }
    const waiting = [...inLine.keys()].filter(({ ending }) => ending === undefined).length;
    expect(backlog.size, `seed ${seed}`).toBe(waiting);
  }
  clock.advance(1_000);
  expect(backlog.size, `seed ${seed}`).toBe(0);
  expect(clock.pending, `seed ${seed}`).toBe(0);
}

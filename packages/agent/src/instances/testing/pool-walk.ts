import type { Revision } from "@longshore/protocol";
import { seededRandom } from "../../testing/random.ts";
import { testRevision } from "../../testing/revision.ts";
import { promisedUsage } from "../room.ts";
import type { FakePrepared } from "./fake-launcher.ts";
import { createPoolScene, type FakeWaiter, mebibyte, settled } from "./pool-scene.ts";

const limits = { memoryBytes: 600 * mebibyte, instancesMax: 7, heldMax: 3, idleMs: 5_000, preparingMax: 3, beginningAtOnce: 2 };

/** Functions that get in one another's way: of every size, contract and limit. */
const revisions: readonly Revision[] = [
  testRevision({ name: "wide", concurrency: 3, memoryBytes: 128 * mebibyte }),
  testRevision({ name: "narrow", concurrency: 1, memoryBytes: 64 * mebibyte, maxInstancesPerAgent: 2 }),
  testRevision({ name: "large", concurrency: 2, memoryBytes: 400 * mebibyte }),
  testRevision({ name: "words", contract: "stdio", memoryBytes: 100 * mebibyte }),
  testRevision({ name: "eager", concurrency: 2, memoryBytes: 64 * mebibyte }),
];

/** A seeded walk through everything that can happen to a pool. {@link PoolWalk.broken} says which promise it finds broken. */
export class PoolWalk {
  readonly scene = createPoolScene(limits);
  readonly #random: () => number;
  readonly #waiters: FakeWaiter[] = [];
  readonly #stopped = new Set<FakeWaiter>();
  readonly #released = new Set<FakeWaiter>();
  /** Broken at the moment something happened. */
  readonly #seen: string[] = [];

  constructor(seed: number, canBeHeld: boolean) {
    this.#random = seededRandom(seed);
    this.scene.launcher.canBeHeld = canBeHeld;
    this.scene.waitedUs = 0;
    this.scene.launcher.onEnd = ({ instanceId }) => {
      if (this.#activeOn(instanceId) > 0) this.#seen.push(`P4: ${instanceId} was ended under its work`);
    };
  }

  /** One thing happens, and all that follows from it at once. */
  async step(): Promise<string> {
    let at = this.#random() * this.#steps.reduce((sum, { weight }) => sum + weight, 0);
    const step = this.#steps.find(({ weight }) => (at -= weight) < 0);
    step?.happen();
    await settled();
    return step?.name ?? "";
  }

  /** What does not hold now. */
  broken(): string[] {
    return [...this.#seen, ...this.#brokenRoom(), ...this.#brokenSlots(), ...this.#brokenWaiting()];
  }

  /** Everything under way comes to its end, and time passes, until nothing changes any more. */
  async comeToRest(): Promise<void> {
    const { launcher, clock } = this.scene;
    let quiet = 0;
    for (let round = 0; round < 1_000 && quiet < 3; round += 1) {
      for (const waiter of this.#waiters) this.#release(waiter, true);
      const isBusy = launcher.preparations.length > 0 || launcher.containers.some((container) => container.isStarting || container.ending !== undefined);
      quiet = isBusy ? 0 : quiet + 1;
      for (const preparation of [...launcher.preparations]) preparation.succeed();
      for (const container of [...launcher.containers]) {
        if (container.isStarting) container.ready();
        if (container.ending !== undefined) container.remove();
      }
      await settled();
      clock.advance(100);
      await settled();
    }
  }

  /** Of those who asked and did not go away, the ones that were never answered. */
  get unanswered(): number {
    return this.#waiters.filter((waiter) => waiter.answers === 0 && !this.#stopped.has(waiter)).length;
  }

  retireAll(): void {
    for (const { digest } of revisions) this.scene.pool.retire(digest);
  }

  /** What can happen, each as often as its weight. */
  readonly #steps: readonly { readonly name: string; readonly weight: number; readonly happen: () => void }[] = [
    { name: "acquire", weight: 4, happen: () => this.#acquire() },
    { name: "release", weight: 3, happen: () => this.#on(this.#running(), (waiter) => this.#release(waiter, this.#random() < 0.8)) },
    { name: "stop waiting", weight: 1, happen: () => this.#on(this.#waiting(), (waiter) => this.#stopWaiting(waiter)) },
    { name: "prepared", weight: 3, happen: () => this.#on(this.scene.launcher.preparations, (preparation) => (this.#random() < 0.85 ? preparation.succeed() : preparation.fail())) },
    { name: "begun", weight: 2, happen: () => this.#on(this.#containers(({ isStarting }) => isStarting), (container) => (this.#random() < 0.85 ? container.ready() : container.failToStart())) },
    { name: "removed", weight: 2, happen: () => this.#on(this.#containers(({ ending }) => ending !== undefined), (container) => container.remove()) },
    { name: "dies", weight: 1, happen: () => this.#on(this.#containers(({ hasExited, ending }) => !hasExited && ending === undefined), (container) => container.die()) },
    { name: "time passes", weight: 2, happen: () => this.scene.clock.advance(this.#pick([1, 50, 600, 8_000])) },
    { name: "processors are waited for", weight: 1, happen: () => void (this.scene.waitedUs = (this.scene.waitedUs ?? 0) + this.#pick([1_000, 100_000, 1_000_000])) },
    { name: "hold", weight: 1, happen: () => this.scene.pool.hold(this.#pick(revisions), Math.floor(this.#random() * 3), Math.floor(this.#random() * 2)) },
    { name: "retire", weight: 0.3, happen: () => this.scene.pool.retire(this.#pick(revisions).digest) },
    { name: "drain", weight: 0.15, happen: () => void this.scene.pool.drain() },
    { name: "resume", weight: 0.5, happen: () => this.scene.pool.resume() },
  ];

  #acquire(): void {
    const revision = this.#pick(revisions);
    const waiter = this.scene.acquire(revision);
    if (this.scene.pool.isDraining && waiter.error?.reason !== "agent_draining") this.#seen.push("work was taken while draining");
    this.#waiters.push(waiter);
  }

  #release(waiter: FakeWaiter, isReusable: boolean): void {
    if (waiter.lease === undefined || this.#released.has(waiter)) return;
    this.#released.add(waiter);
    waiter.lease.release(isReusable);
  }

  #stopWaiting(waiter: FakeWaiter): void {
    this.#stopped.add(waiter);
    waiter.stopWaiting();
  }

  #containers(wanted: (container: FakePrepared) => boolean): FakePrepared[] {
    return this.scene.launcher.containers.filter(wanted);
  }

  #running(): FakeWaiter[] {
    return this.#waiters.filter((waiter) => waiter.lease !== undefined && !this.#released.has(waiter));
  }

  #waiting(): FakeWaiter[] {
    return this.#waiters.filter((waiter) => waiter.answers === 0 && !this.#stopped.has(waiter));
  }

  #activeOn(instanceId: string): number {
    return this.#running().filter(({ lease }) => lease?.instanceId === instanceId).length;
  }

  /** P1, by what is promised and by what there is in truth. */
  #brokenRoom(): string[] {
    const { launcher, pool } = this.scene;
    const promised = promisedUsage(pool.instances, pool.limits);
    const costs = [
      ...launcher.preparations.map(() => pool.limits.heldCostBytes),
      ...launcher.containers.map(({ hasBegun, revision }) => (hasBegun ? revision.spec.memoryBytes : pool.limits.heldCostBytes)),
    ];
    const present = costs.reduce((sum, cost) => sum + cost, 0);
    const aside = [...pool.instances].filter((instance) => instance.isHeldAside).length;
    return [
      ...(promised.memoryBytes > limits.memoryBytes ? [`P1: ${promised.memoryBytes} bytes are promised`] : []),
      ...(promised.instances > limits.instancesMax ? [`P1: ${promised.instances} instances are promised`] : []),
      ...(present > limits.memoryBytes ? [`P1: ${present} bytes are taken`] : []),
      ...(costs.length > limits.instancesMax ? [`P1: there are ${costs.length} containers`] : []),
      ...(launcher.preparations.length > limits.preparingMax ? [`${launcher.preparations.length} containers are being made`] : []),
      ...(aside > limits.heldMax ? [`${aside} are held`] : []),
      ...revisions.filter(({ digest, spec }) => launcher.containers.filter((container) => container.hasBegun && container.revision.digest === digest).length > (spec.maxInstancesPerAgent ?? Infinity)).map(({ functionName }) => `${functionName} has too many instances`),
    ];
  }

  /** P2, and that the pool counts as we do. */
  #brokenSlots(): string[] {
    return [...this.scene.pool.instances].flatMap(({ instanceId, slots, state }) => {
      const active = this.#activeOn(instanceId);
      if (active > slots) return [`P2: ${instanceId} has ${active} invocations`];
      return state.phase === "ready" && state.active !== active ? [`${instanceId} counts ${state.active} of ${active}`] : [];
    });
  }

  /** P3: nobody waits beside a free slot or for nothing, and nobody is answered twice. */
  #brokenWaiting(): string[] {
    const waiting = this.#waiting().length;
    const coming = [...this.scene.pool.instances].filter((instance) => instance.isComing).reduce((sum, { slots }) => sum + slots, 0);
    return [
      ...(waiting > coming ? [`P3: ${waiting} wait for ${coming} slots`] : []),
      ...this.#waiters.filter(({ answers }) => answers > 1).map(() => "somebody was answered twice"),
      ...[...this.#stopped].filter(({ answers }) => answers > 0).map(() => "somebody who had gone was answered"),
    ];
  }

  #on<T>(choices: readonly T[], action: (choice: T) => unknown): void {
    if (choices.length > 0) action(this.#pick(choices));
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)] as T;
  }
}

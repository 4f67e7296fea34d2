import { type InstanceId, LongshoreError, type Revision, type StartKind } from "@longshore/protocol";
import type { Clock } from "../clock.ts";
import type { Logger } from "../log.ts";
import { cedesBelow, isWarm } from "./ceding.ts";
import { IdleSweep } from "./idle-sweep.ts";
import type { Instance } from "./instance.ts";
import { Inventory } from "./inventory.ts";
import type { SlotWaiter } from "./lease.ts";
import { Lifecycle } from "./lifecycle.ts";
import type { PoolLimits } from "./limits.ts";
import type { Launcher, PreparedInstance } from "./prepared.ts";
import { Promises } from "./promises.ts";
import type { RevisionGroup } from "./revision-group.ts";
import { isNothing } from "./room.ts";
import { StartGate } from "./start-gate.ts";
import { StartQueue } from "./start-queue.ts";
import { Stock } from "./stock.ts";
import { TurnWatch } from "./turn-watch.ts";

export interface PoolOptions {
  readonly launcher: Launcher;
  readonly limits: PoolLimits;
  readonly clock: Clock;
  readonly log: Logger;
  readonly newInstanceId: () => InstanceId;
  /** For how long something waited for a processor of the host, ever since it began, microseconds; undefined: nobody can tell. */
  readonly waitedUs?: () => number | undefined;
  /** Capacity is not what it was. */
  readonly onChange: () => void;
}

/**
 * The instances of an agent: who gets a slot, what is started, held and ended.
 *
 * Invariants: P1 what is promised to instances never exceeds the limits, and nothing begins before what it needs is free. P2 an
 * instance never has more invocations than slots. P3 whoever waits is served by whichever comes first: an instance that falls idle,
 * a held one, a start. P4 what has work is never ended to make room. P5 a function with several instances cedes one, once its work is
 * done, to a function that has fewer.
 */
export class InstancePool {
  readonly #options: PoolOptions;
  readonly #inventory: Inventory;
  readonly #lifecycle: Lifecycle;
  readonly #gate: StartGate;
  readonly #starts: StartQueue;
  readonly #promises: Promises;
  readonly #stock: Stock;
  readonly #idle: IdleSweep;
  readonly #turns: TurnWatch;
  readonly #emptied = new Set<() => void>();
  #isDraining = false;
  #isClosed = false;

  constructor(options: PoolOptions) {
    const { limits, clock, launcher, waitedUs = () => undefined } = options;
    this.#options = options;
    this.#inventory = new Inventory(limits, clock);
    this.#lifecycle = new Lifecycle(launcher, clock, {
      made: () => this.#onMade(),
      ready: (instance) => this.#onReady(instance),
      failed: (instance, error) => this.#onFailed(instance, error),
      died: (instance, heldMs) => this.#onDied(instance, heldMs),
      ending: (instance) => this.#onEnding(instance),
      gone: (instance) => this.#onGone(instance),
    });
    this.#gate = new StartGate({ atOnce: limits.beginningAtOnce, waitedUs, clock, again: () => this.#starts.beginWhatFits() });
    this.#starts = new StartQueue(this.#inventory, this.#lifecycle, {
      gate: this.#gate,
      isNeeded: (instance) => this.#isNeeded(instance),
      setAside: (instance) => this.#setAside(instance),
    });
    this.#promises = new Promises(this.#inventory, clock, {
      newInstanceId: options.newInstanceId,
      end: (instance) => this.#lifecycle.end(instance),
      promised: (instance) => {
        this.#starts.add(instance);
        this.#stock.refillWithin(limits.refillDelayMs);
      },
    });
    this.#stock = new Stock(this.#inventory, clock, {
      isPaused: () => this.#isDraining,
      canHold: (group) => launcher.canHold(group.revision.image.architecture),
      beginAhead: (group) => this.#beginAhead(group),
      prepareHeld: (group) => this.#lifecycle.prepare(this.#inventory.add(group, options.newInstanceId(), "hold")),
      end: (instance) => this.#lifecycle.end(instance),
    });
    this.#idle = new IdleSweep(this.#inventory, clock, (instance) => this.#lifecycle.end(instance));
    this.#turns = new TurnWatch(this.#inventory, clock, options.onChange);
  }

  /** Every instance there is, whatever its phase. */
  get instances(): ReadonlySet<Instance> {
    return this.#inventory.instances;
  }

  /** Those who wait for a slot, by revision. */
  get waiting(): (readonly [revisionDigest: string, waiters: number])[] {
    return [...this.#inventory.groups].filter(({ waiters }) => waiters.length > 0).map(({ revision, waiters }) => [revision.digest, waiters.length]);
  }

  get limits(): PoolLimits {
    return this.#options.limits;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** A function with fewer instances than that, none of them on its way, would be given one though none is free. */
  get cedesBelow(): number {
    return cedesBelow(this.#inventory, this.#options.clock.monotonicMs());
  }

  /** Idle, and yet not free to all: it was used a moment ago. */
  isWarm(instance: Instance): boolean {
    return isWarm(instance, this.#inventory, this.#options.clock.monotonicMs());
  }

  /** Asks for a slot: granted at once, later, or refused. Call what it returns to stop waiting. */
  acquire(revision: Revision, waiter: SlotWaiter): () => void {
    if (this.#isDraining) {
      waiter.refused(new LongshoreError("agent_draining", `Cannot run "${revision.functionName}": the agent takes no new work`, { phase: "admission" }));
      return () => undefined;
    }
    const group = this.#inventory.groupOf(revision);
    group.lastUsedMs = this.#options.clock.monotonicMs();
    const free = group.waiters.length === 0 ? group.freeInstance() : undefined;
    if (free !== undefined) {
      this.#grant(free, waiter, "warm");
      return () => undefined;
    }
    if (group.waiters.length >= group.comingSlots() && !this.#promises.one(group) && !this.#promises.oneCeded(group)) {
      this.#inventory.forgetIfUnused(group);
      waiter.refused(new LongshoreError("agent_busy", `Cannot run "${revision.functionName}": the agent has no free slot`, { phase: "admission" }));
      return () => undefined;
    }
    group.waiters.push(waiter);
    this.#starts.beginWhatFits();
    return () => this.#stopWaiting(group, waiter);
  }

  /** Keeps that many instances of the revision held, and a minimum of instances begun, as far as the limits allow. */
  hold(revision: Revision, count: number, minimum = 0): void {
    const group = this.#inventory.groupOf(revision);
    group.heldWanted = count;
    group.minimum = minimum;
    group.isRetired = false;
    group.lastUsedMs = this.#options.clock.monotonicMs();
    this.#endHeldBeyond(group, count);
    this.#inventory.forgetIfUnused(group);
    this.#stock.refillWithin(0);
  }

  /** The revision is no longer current: its instances end as soon as they have no work. */
  retire(revisionDigest: string): void {
    const group = this.#inventory.find(revisionDigest);
    if (group === undefined) return;
    group.isRetired = true;
    group.heldWanted = 0;
    group.minimum = 0;
    this.#endUnused(group);
    this.#inventory.forgetIfUnused(group);
  }

  /**
   * Takes over an instance that an earlier process of this agent had begun; it is used once it shows that it serves. False when there
   * is no room for it or it would not be used: then it remains the caller's.
   */
  adopt(revision: Revision, instanceId: InstanceId, prepared: PreparedInstance): boolean {
    const { maxInstancesPerAgent = Infinity } = revision.spec;
    const group = this.#inventory.groupOf(revision);
    const wanted = { memoryBytes: revision.spec.memoryBytes, instances: 1 };
    const fits = isNothing(this.#inventory.promiseShortfall(wanted)) && this.#inventory.isFree(wanted) && group.begunCount() < maxInstancesPerAgent;
    if (!fits || this.#isDraining || group.isRetired) {
      this.#inventory.forgetIfUnused(group);
      return false;
    }
    const instance = this.#inventory.add(group, instanceId, "serve");
    instance.startKind = "warm";
    this.#lifecycle.adopt(instance, prepared);
    this.#options.onChange();
    return true;
  }

  /** Takes no new work, ends what is unused; resolves once nothing is left. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    this.#stock.stop();
    for (const group of this.#inventory.groups) this.#endUnused(group);
    if (this.#inventory.instances.size > 0) await new Promise<void>((resolve) => this.#emptied.add(resolve));
  }

  /** Undoes a {@link drain}. */
  resume(): void {
    this.#isDraining = this.#isClosed;
    this.#stock.refillWithin(0);
  }

  /** Ends what has work too, and refuses who waits. */
  endAll(): void {
    for (const group of this.#inventory.groups) this.#refuseWaiters(group, 0, new LongshoreError("agent_draining", "Cannot go on waiting: the agent is stopping", { phase: "startup" }));
    for (const instance of this.#inventory.instances) this.#lifecycle.end(instance);
  }

  /** Ends everything, what has work too; resolves once nothing is left. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const drained = this.drain();
    this.#idle.stop();
    this.#turns.stop();
    this.#gate.close();
    this.endAll();
    await drained;
  }

  #stopWaiting(group: RevisionGroup, waiter: SlotWaiter): void {
    const at = group.waiters.indexOf(waiter);
    if (at === -1) return;
    group.waiters.splice(at, 1);
    this.#starts.beginWhatFits(); // What was promised to it may be somebody else's now.
  }

  #beginAhead(group: RevisionGroup): boolean {
    if (!this.#promises.oneAhead(group)) return false;
    this.#starts.beginWhatFits();
    return true;
  }

  #isNeeded({ revision }: Instance): boolean {
    const group = this.#inventory.groupOf(revision);
    return group.waiters.length > 0 || group.servingCount() <= group.minimum;
  }

  /** Those who waited for it have been served: it is kept held where that is wanted. */
  #setAside(instance: Instance): void {
    const group = this.#inventory.groupOf(instance.revision);
    const isKept = instance.state.phase === "held" && !this.#isDraining && !group.isRetired && group.heldCount() < group.heldWanted && this.#stock.hasPlace;
    if (!isKept) return this.#lifecycle.end(instance);
    instance.purpose = "hold";
    this.#options.onChange();
  }

  #onMade(): void {
    this.#starts.beginWhatFits(); // Somebody may wait for it by now, or for another to be made.
    this.#stock.refillWithin(this.limits.refillDelayMs);
    this.#options.onChange();
  }

  #onReady(instance: Instance): void {
    this.#inventory.groupOf(instance.revision).worked();
    this.#starts.delete(instance);
    this.#serve(instance, instance.startKind);
    this.#starts.beginWhatFits();
    this.#idle.start();
    this.#stock.refillWithin(this.limits.refillDelayMs);
    this.#options.onChange();
  }

  #onFailed(instance: Instance, error: LongshoreError): void {
    const group = this.#inventory.groupOf(instance.revision);
    const { functionName, revisionId } = instance.revision;
    this.#options.log.warn({ err: error, functionName, revisionId, instanceId: instance.instanceId, purpose: instance.purpose }, "instance not started");
    group.failed(this.#options.clock.monotonicMs());
    this.#refuseWaiters(group, group.comingSlots(), error);
  }

  /** Those who waited for an instance that is gone get another one, or are told. */
  #onDied({ revision }: Instance, heldMs: number | undefined): void {
    const group = this.#inventory.groupOf(revision);
    if (heldMs !== undefined) group.failedToHold(this.#options.clock.monotonicMs(), heldMs);
    while (group.waiters.length > group.comingSlots() && this.#promises.one(group));
    this.#refuseWaiters(group, group.comingSlots(), new LongshoreError("agent_busy", `Cannot run "${revision.functionName}": its instance ended before it began`, { phase: "startup" }));
    this.#starts.beginWhatFits();
    this.#options.onChange();
  }

  #onEnding(instance: Instance): void {
    this.#starts.delete(instance);
    this.#options.onChange();
  }

  #onGone(instance: Instance): void {
    this.#starts.delete(instance);
    this.#inventory.remove(instance);
    this.#starts.beginWhatFits();
    this.#stock.refillWithin(this.limits.refillDelayMs);
    this.#options.onChange();
    if (this.#inventory.instances.size > 0) return;
    for (const resolve of this.#emptied) resolve();
    this.#emptied.clear();
  }

  /** Gives the instance's free slots to those who wait; what is left unused may have to end. */
  #serve(instance: Instance, kind: StartKind): void {
    const group = this.#inventory.groupOf(instance.revision);
    while (instance.hasFreeSlot) {
      const waiter = group.waiters.shift(); // P3
      if (waiter === undefined) break;
      this.#grant(instance, waiter, kind);
    }
    if (instance.isIdle && (group.isRetired || this.#isDraining || this.#paysWith(instance))) this.#lifecycle.end(instance);
  }

  /** True when it has no work and is, or takes the place of, one that is to be ceded: whichever has no work first goes. */
  #paysWith(instance: Instance): boolean {
    if (instance.state.phase !== "ready" || instance.state.active > 0) return false;
    if (instance.isCeding) return true;
    const debtor = [...this.#inventory.groupOf(instance.revision).instances].find((other) => other.isCeding && !other.isEnding);
    if (debtor === undefined) return false;
    debtor.isCeding = false;
    instance.isCeding = true;
    return true;
  }

  #grant(instance: Instance, waiter: SlotWaiter, start: StartKind): void {
    const { state } = instance;
    if (state.phase !== "ready" || !instance.hasFreeSlot) throw new Error(`Instance ${instance.instanceId} has no free slot`); // P2
    instance.become({ ...state, active: state.active + 1 });
    instance.hasServed = true;
    let isReleased = false;
    const release = (isReusable: boolean) => {
      if (isReleased) return;
      isReleased = true;
      this.#release(instance, isReusable && state.running.streams === undefined && !state.prepared.hasRunOutOfMemory);
    };
    this.#options.onChange();
    const isAlone = () => instance.state.phase !== "ready" || instance.state.active === 1;
    const isBeingEnded = () => instance.isEnding;
    waiter.granted({ instanceId: instance.instanceId, start, running: state.running, prepared: state.prepared, isAlone, isBeingEnded, release });
  }

  #release(instance: Instance, isReusable: boolean): void {
    const { state } = instance;
    if (state.phase !== "ready") return; // It is being ended already.
    instance.lastUsedMs = this.#options.clock.monotonicMs();
    const isRetiring = state.isRetiring || !isReusable;
    instance.become({ ...state, active: state.active - 1, isRetiring });
    if (state.active === 1 && (isRetiring || this.#paysWith(instance))) this.#lifecycle.end(instance);
    else if (!isRetiring) this.#serve(instance, "warm");
    if (instance.isIdle) this.#turns.idle(instance);
    this.#options.onChange();
  }

  /** Those who came last are refused first. */
  #refuseWaiters(group: RevisionGroup, kept: number, error: LongshoreError): void {
    for (const waiter of group.waiters.splice(kept)) waiter.refused(error);
    this.#inventory.forgetIfUnused(group);
  }

  #endUnused(group: RevisionGroup): void {
    for (const instance of group.instances) if (instance.isHeldAside || instance.isIdle) this.#lifecycle.end(instance);
  }

  #endHeldBeyond(group: RevisionGroup, count: number): void {
    for (let held = group.heldInstance(); held !== undefined && group.heldCount() > count; held = group.heldInstance()) this.#lifecycle.end(held);
  }
}

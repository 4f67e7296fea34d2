import { type InstanceId, LongshoreError, type Revision, type StartKind } from "@longshore/protocol";
import type { Clock } from "../clock.ts";
import type { RunningInstance } from "../contracts/contract.ts";
import type { Logger } from "../log.ts";
import { chooseVictims } from "./choose-victims.ts";
import { Instance, type Purpose } from "./instance.ts";
import type { PoolLimits } from "./limits.ts";
import type { Launcher, PreparedInstance } from "./prepared.ts";
import { RevisionGroup } from "./revision-group.ts";
import { fullCost, isNothing, presentCost, presentUsage, promisedCost, promisedUsage, shortfall, type Usage } from "./room.ts";

/** Waits for a slot; one of the two is called, once. */
export interface SlotWaiter {
  /** The slot is its own until it releases it. */
  granted(lease: Lease): void;
  /** `agent_busy`, `agent_draining`, or why no instance could be started. Nothing of the invocation has run. */
  refused(error: LongshoreError): void;
}

/** One slot on one instance. */
export interface Lease {
  readonly instanceId: InstanceId;
  readonly start: StartKind;
  readonly running: RunningInstance;
  readonly prepared: PreparedInstance;
  /** No other invocation is on the instance: ending it ends this one only. */
  isAlone(): boolean;
  /** The invocation is over. `isReusable` false: nothing further is given to the instance, and it ends once its other invocations have. */
  release(isReusable: boolean): void;
}

export interface PoolOptions {
  readonly launcher: Launcher;
  readonly limits: PoolLimits;
  readonly clock: Clock;
  readonly log: Logger;
  readonly newInstanceId: () => InstanceId;
  /** Capacity is not what it was. */
  readonly onChange: () => void;
}

/**
 * The instances of an agent: who gets a slot, what is started, held and ended.
 *
 * Invariants: P1 what is promised to instances never exceeds the limits, and nothing begins before what it needs is free. P2 an
 * instance never has more invocations than slots. P3 whoever waits is served by whichever comes first: an instance that falls idle,
 * a held one, a start. P4 what has work is never ended to make room.
 */
export class InstancePool {
  readonly #options: PoolOptions;
  readonly #groups = new Map<string, RevisionGroup>();
  readonly #instances = new Set<Instance>();
  /** Promised, and to be begun as soon as there is room; in the order they were promised. */
  readonly #starts = new Set<Instance>();
  readonly #emptied = new Set<() => void>();
  #isDraining = false;
  #isClosed = false;
  #cancelRefill: (() => void) | undefined;
  #cancelSweep: (() => void) | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Every instance there is, whatever its phase. */
  get instances(): ReadonlySet<Instance> {
    return this.#instances;
  }

  get limits(): PoolLimits {
    return this.#options.limits;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Asks for a slot: granted at once, later, or refused. Call what it returns to stop waiting. */
  acquire(revision: Revision, waiter: SlotWaiter): () => void {
    if (this.#isDraining) {
      waiter.refused(new LongshoreError("agent_draining", `Cannot run "${revision.functionName}": the agent takes no new work`, { phase: "admission" }));
      return () => undefined;
    }
    const group = this.#groupOf(revision);
    group.lastUsedMs = this.#options.clock.monotonicMs();
    const free = group.waiters.length === 0 ? group.freeInstance() : undefined;
    if (free !== undefined) {
      this.#grant(free, waiter, "warm");
      return () => undefined;
    }
    if (group.waiters.length >= group.comingSlots() && !this.#expand(group)) {
      waiter.refused(new LongshoreError("agent_busy", `Cannot run "${revision.functionName}": the agent has no free slot`, { phase: "admission" }));
      return () => undefined;
    }
    group.waiters.push(waiter);
    this.#pump();
    return () => {
      const at = group.waiters.indexOf(waiter);
      if (at !== -1) group.waiters.splice(at, 1);
    };
  }

  /** Keeps that many instances of the revision held, as far as the limits allow. */
  hold(revision: Revision, count: number): void {
    const group = this.#groupOf(revision);
    group.heldWanted = count;
    group.isRetired = false;
    group.lastUsedMs = this.#options.clock.monotonicMs();
    this.#refillSoon(0);
  }

  /** The revision is no longer current: its instances end as soon as they have no work. */
  retire(revisionDigest: string): void {
    const group = this.#groups.get(revisionDigest);
    if (group === undefined) return;
    group.isRetired = true;
    group.heldWanted = 0;
    this.#endUnused(group);
  }

  /** Takes over an instance that an earlier process of this agent had begun; it is used once it shows that it serves. */
  adopt(revision: Revision, instanceId: InstanceId, prepared: PreparedInstance): void {
    const instance = this.#add(this.#groupOf(revision), "serve", instanceId);
    instance.startKind = "warm";
    this.#watch(instance, prepared);
    this.#begin(instance, prepared);
  }

  /** Takes no new work, ends what is unused; resolves once nothing is left. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    for (const group of this.#groups.values()) this.#endUnused(group);
    if (this.#instances.size > 0) await new Promise<void>((resolve) => this.#emptied.add(resolve));
  }

  /** Undoes a {@link drain}. */
  resume(): void {
    this.#isDraining = this.#isClosed;
    this.#refillSoon(0);
  }

  /** Ends everything, what has work too; resolves once nothing is left. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const drained = this.drain();
    this.#cancelRefill?.();
    this.#cancelSweep?.();
    for (const group of this.#groups.values()) this.#refuseWaiters(group, 0, new LongshoreError("agent_draining", "Cannot go on waiting: the agent is stopping", { phase: "startup" }));
    for (const instance of this.#instances) this.#end(instance);
    await drained;
  }

  #groupOf(revision: Revision): RevisionGroup {
    let group = this.#groups.get(revision.digest);
    if (group === undefined) {
      group = new RevisionGroup(revision, this.#options.clock.monotonicMs());
      this.#groups.set(revision.digest, group);
    }
    return group;
  }

  #add(group: RevisionGroup, purpose: Purpose, instanceId = this.#options.newInstanceId()): Instance {
    const { revision } = group;
    const slots = revision.spec.contract === "stdio" ? 1 : revision.spec.concurrency;
    const instance = new Instance({ instanceId, revision, slots, purpose, nowMs: this.#options.clock.monotonicMs() });
    group.instances.add(instance);
    this.#instances.add(instance);
    return instance;
  }

  /** Promises one more instance to the group's waiters, a held one if there is one; false when there is no room for it. */
  #expand(group: RevisionGroup): boolean {
    const { maxInstancesPerAgent = Infinity } = group.revision.spec;
    if (group.begunCount() >= maxInstancesPerAgent) return false;
    const held = group.heldInstance();
    const wanted = { memoryBytes: fullCost(group) - (held === undefined ? 0 : this.limits.heldCostBytes), instances: held === undefined ? 1 : 0 };
    if (!this.#makeRoom(group, wanted)) return false;
    const instance = held ?? this.#add(group, "serve");
    instance.purpose = "serve";
    instance.startKind = held?.state.phase === "held" ? "held" : "cold";
    this.#starts.add(instance);
    if (held !== undefined) this.#refillSoon(this.limits.refillDelayMs);
    return true;
  }

  /** Ends unused instances until `wanted` can be promised; false, and nothing ended, when it cannot. */
  #makeRoom(group: RevisionGroup, wanted: Usage): boolean {
    const missing = shortfall(promisedUsage(this.#instances, this.limits), wanted, this.limits);
    if (isNothing(missing)) return true;
    const candidates = [...this.#instances]
      .filter((instance) => (instance.isHeldAside || instance.isIdle) && instance.revision.digest !== group.revision.digest)
      .map((instance) => ({ instance, memoryBytes: promisedCost(instance, this.limits) ?? 0, lastUsedMs: this.#groupOf(instance.revision).lastUsedMs }));
    const victims = chooseVictims(candidates, missing);
    for (const { instance } of victims ?? []) this.#end(instance);
    return victims !== undefined;
  }

  /** Begins what was promised, as far as there is room by now. */
  #pump(): void {
    for (const instance of this.#starts) {
      const { phase } = instance.state;
      if (phase !== "held" && phase !== "preparing") this.#starts.delete(instance);
      else if (!instance.isUnderWay && !this.#start(instance)) break;
    }
  }

  /** Begins one; false when it, and so all behind it, has to wait for room. */
  #start(instance: Instance): boolean {
    const { state } = instance;
    const present = presentCost(instance, this.limits);
    const further = { memoryBytes: fullCost(instance) - (present ?? 0), instances: present === undefined ? 1 : 0 };
    if (!isNothing(shortfall(presentUsage(this.#instances, this.limits), further, this.limits))) return false;
    if (state.phase === "held") {
      this.#starts.delete(instance);
      this.#beginOrKeep(instance, state.prepared);
    } else if (this.#underWay() < this.limits.preparingMax) {
      this.#starts.delete(instance);
      this.#prepare(instance);
    }
    return true;
  }

  #underWay(purpose?: Purpose): number {
    let count = 0;
    for (const instance of this.#instances) if (instance.isUnderWay && (purpose === undefined || instance.purpose === purpose)) count += 1;
    return count;
  }

  #prepare(instance: Instance): void {
    instance.isUnderWay = true;
    this.#options.launcher.prepare({ instanceId: instance.instanceId, revision: instance.revision }).then(
      (prepared) => this.#onPrepared(instance, prepared),
      (error: unknown) => this.#onPrepareFailed(instance, LongshoreError.from(error, `Cannot start instance of "${instance.revision.functionName}"`).at("startup")),
    );
  }

  #onPrepared(instance: Instance, prepared: PreparedInstance): void {
    instance.isUnderWay = false;
    if (instance.state.phase === "stopping") return void prepared.discard().then(() => this.#onGone(instance));
    this.#groupOf(instance.revision).worked();
    this.#watch(instance, prepared);
    if (prepared.isHeld) {
      instance.become({ phase: "held", sinceMs: this.#options.clock.monotonicMs(), prepared });
      if (instance.purpose === "serve") this.#starts.add(instance);
    } else {
      this.#begin(instance, prepared);
    }
    this.#pump();
    this.#refillSoon(this.limits.refillDelayMs);
    this.#options.onChange();
  }

  #onPrepareFailed(instance: Instance, error: LongshoreError): void {
    instance.isUnderWay = false;
    const group = this.#groupOf(instance.revision);
    const { functionName, revisionId } = instance.revision;
    this.#options.log.warn({ err: error, functionName, revisionId, purpose: instance.purpose }, "instance not made");
    group.failed(this.#options.clock.monotonicMs());
    this.#onGone(instance);
    this.#refuseWaiters(group, group.comingSlots(), error);
  }

  /** A held instance whose waiters have been served meanwhile stays held. */
  #beginOrKeep(instance: Instance, prepared: PreparedInstance): void {
    const group = this.#groupOf(instance.revision);
    if (group.waiters.length > 0 || group.begunCount() <= this.#minimumOf(group)) return this.#begin(instance, prepared);
    instance.purpose = "hold";
    if (group.isRetired || this.#isDraining || group.heldCount() > group.heldWanted) this.#end(instance);
  }

  #minimumOf(group: RevisionGroup): number {
    return group.isRetired || group.heldWanted === 0 ? 0 : group.revision.spec.minInstances;
  }

  #begin(instance: Instance, prepared: PreparedInstance): void {
    const begun = prepared.begin();
    if (!(begun instanceof Promise)) return this.#onReady(instance, prepared, begun);
    instance.become({ phase: "starting", sinceMs: this.#options.clock.monotonicMs(), prepared });
    begun.then(
      (running) => this.#onReady(instance, prepared, running),
      (error: unknown) => this.#onStartFailed(instance, LongshoreError.from(error, `Cannot start instance of "${instance.revision.functionName}"`).at("startup")),
    );
  }

  #onReady(instance: Instance, prepared: PreparedInstance, running: RunningInstance): void {
    if (instance.state.phase === "stopping" || instance.state.phase === "gone") return;
    const nowMs = this.#options.clock.monotonicMs();
    instance.lastUsedMs = nowMs;
    instance.become({ phase: "ready", sinceMs: nowMs, prepared, running, active: 0, isRetiring: false });
    this.#serve(instance, instance.startKind);
    this.#sweepLater();
    this.#options.onChange();
  }

  #onStartFailed(instance: Instance, error: LongshoreError): void {
    const group = this.#groupOf(instance.revision);
    group.failed(this.#options.clock.monotonicMs());
    this.#end(instance);
    this.#refuseWaiters(group, group.comingSlots(), error);
  }

  /** Gives the instance's free slots to those who wait; what is left unused may have to end. */
  #serve(instance: Instance, kind: StartKind): void {
    const group = this.#groupOf(instance.revision);
    while (instance.hasFreeSlot) {
      const waiter = group.waiters.shift();
      if (waiter === undefined) break;
      this.#grant(instance, waiter, kind);
    }
    if (instance.isIdle && (group.isRetired || this.#isDraining)) this.#end(instance);
  }

  #grant(instance: Instance, waiter: SlotWaiter, start: StartKind): void {
    const { state } = instance;
    if (state.phase !== "ready") throw new Error(`Instance ${instance.instanceId} is ${state.phase}, not ready`);
    instance.become({ ...state, active: state.active + 1 });
    let isReleased = false;
    const release = (isReusable: boolean) => {
      if (isReleased) return;
      isReleased = true;
      this.#release(instance, isReusable && state.running.streams === undefined);
    };
    this.#options.onChange();
    const isAlone = () => instance.state.phase !== "ready" || instance.state.active === 1;
    waiter.granted({ instanceId: instance.instanceId, start, running: state.running, prepared: state.prepared, isAlone, release });
  }

  #release(instance: Instance, isReusable: boolean): void {
    const { state } = instance;
    if (state.phase !== "ready") return; // It ended by itself meanwhile.
    instance.lastUsedMs = this.#options.clock.monotonicMs();
    instance.become({ ...state, active: state.active - 1, isRetiring: state.isRetiring || !isReusable });
    if (!isReusable || state.isRetiring) {
      if (state.active === 1) this.#end(instance);
    } else {
      this.#serve(instance, "warm");
    }
    this.#options.onChange();
  }

  /** Learns of an instance's end by itself, whoever caused it. */
  #watch(instance: Instance, prepared: PreparedInstance): void {
    void prepared.exited.then(() => {
      const { phase } = instance.state;
      if (phase === "stopping" || phase === "gone") return;
      if (phase === "starting") return; // The start's own failure tells more.
      const group = this.#groupOf(instance.revision);
      if (phase === "held") group.failed(this.#options.clock.monotonicMs());
      this.#end(instance);
      this.#replaceLost(group);
    });
  }

  /** Those who waited for an instance that is gone get another one, or are told. */
  #replaceLost(group: RevisionGroup): void {
    while (group.waiters.length > group.comingSlots() && this.#expand(group));
    this.#refuseWaiters(group, group.comingSlots(), new LongshoreError("agent_busy", `Cannot run "${group.revision.functionName}": its instance ended before it began`, { phase: "startup" }));
    this.#pump();
  }

  #refuseWaiters(group: RevisionGroup, kept: number, error: LongshoreError): void {
    for (const waiter of group.waiters.splice(0, Math.max(0, group.waiters.length - kept))) waiter.refused(error);
  }

  /** Ends one instance: what had begun gets its stop signal, what had not is removed. */
  #end(instance: Instance): void {
    const { state } = instance;
    if (state.phase === "stopping" || state.phase === "gone") return;
    this.#starts.delete(instance);
    const hadBegun = instance.hasBegun;
    if (state.phase === "preparing" && !instance.isUnderWay) return this.#onGone(instance);
    instance.become({ phase: "stopping", sinceMs: this.#options.clock.monotonicMs(), hadBegun });
    this.#options.onChange();
    if (state.phase === "preparing") return; // Removed as soon as the engine has made it.
    void (hadBegun ? state.prepared.stop() : state.prepared.discard()).then(() => this.#onGone(instance));
  }

  #onGone(instance: Instance): void {
    if (instance.state.phase !== "gone") instance.become({ phase: "gone", sinceMs: this.#options.clock.monotonicMs() });
    this.#starts.delete(instance);
    this.#instances.delete(instance);
    const group = this.#groupOf(instance.revision);
    group.instances.delete(instance);
    if (group.isRetired && group.instances.size === 0 && group.waiters.length === 0) this.#groups.delete(group.revision.digest);
    this.#pump();
    this.#refillSoon(this.limits.refillDelayMs);
    this.#options.onChange();
    if (this.#instances.size > 0) return;
    for (const resolve of this.#emptied) resolve();
    this.#emptied.clear();
  }

  #endUnused(group: RevisionGroup): void {
    for (const instance of group.instances) if (instance.isHeldAside || instance.isIdle) this.#end(instance);
  }

  /** Ends what has been idle for long, again and again while anything is ready. */
  #sweepLater(): void {
    this.#cancelSweep ??= this.#options.clock.after(Math.max(50, this.limits.idleMs / 8), () => {
      this.#cancelSweep = undefined;
      const idleSinceMs = this.#options.clock.monotonicMs() - this.limits.idleMs;
      let isAnyReady = false;
      for (const instance of this.#instances) {
        if (instance.state.phase !== "ready") continue;
        const group = this.#groupOf(instance.revision);
        if (instance.isIdle && instance.lastUsedMs <= idleSinceMs && group.begunCount() > this.#minimumOf(group)) this.#end(instance);
        else isAnyReady = true;
      }
      if (isAnyReady) this.#sweepLater();
    });
  }

  #refillSoon(delayMs: number): void {
    this.#cancelRefill ??= this.#options.clock.after(delayMs, () => {
      this.#cancelRefill = undefined;
      this.#refill();
    });
  }

  /** Makes what is to be held, most recently used revisions first, while nobody waits for a start. */
  #refill(): void {
    if (this.#isDraining || this.#underWay("serve") > 0) return; // What is under way comes here again when it is done.
    const nowMs = this.#options.clock.monotonicMs();
    const groups = [...this.#groups.values()].filter((group) => !group.isRetired && group.heldWanted > 0).sort((a, b) => b.lastUsedMs - a.lastUsedMs);
    for (const group of groups) {
      if (group.refillAtMs > nowMs) {
        this.#refillSoon(group.refillAtMs - nowMs);
        continue;
      }
      while (group.begunCount() < this.#minimumOf(group) && this.#expand(group));
      this.#holdMore(group);
    }
    this.#pump();
  }

  #holdMore(group: RevisionGroup): void {
    if (!this.#options.launcher.canHold(group.revision.image.architecture)) return;
    while (group.heldCount() < group.heldWanted && this.#underWay("hold") < this.limits.refillingMax && this.#hasRoomToHold(group)) {
      this.#prepare(this.#add(group, "hold"));
    }
  }

  /** Room for one more held instance, made where needed by ending the one whose function was used longest ago. */
  #hasRoomToHold(group: RevisionGroup): boolean {
    const aside = [...this.#instances].filter((instance) => instance.isHeldAside);
    const wanted = { memoryBytes: this.limits.heldCostBytes, instances: 1 };
    const fits = isNothing(shortfall(promisedUsage(this.#instances, this.limits), wanted, this.limits));
    if (fits && aside.length < this.limits.heldMax) return true;
    const usedMs = (instance: Instance) => this.#groupOf(instance.revision).lastUsedMs;
    const oldest = aside.sort((a, b) => usedMs(a) - usedMs(b))[0];
    if (oldest === undefined || usedMs(oldest) >= group.lastUsedMs) return false;
    this.#end(oldest);
    return fits;
  }
}

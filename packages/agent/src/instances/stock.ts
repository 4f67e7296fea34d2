import type { Clock } from "../clock.ts";
import { Alarm } from "./alarm.ts";
import type { Instance } from "./instance.ts";
import type { Inventory } from "./inventory.ts";
import type { RevisionGroup } from "./revision-group.ts";
import { isNothing } from "./room.ts";

/** What the stock asks of the pool. */
export interface StockOwner {
  /** Nothing is to be made for now. */
  isPaused(): boolean;
  canHold(group: RevisionGroup): boolean;
  /** Promises one more begun instance, ending nothing that has begun; false when there is no room for it. */
  beginAhead(group: RevisionGroup): boolean;
  prepareHeld(group: RevisionGroup): void;
  end(instance: Instance): void;
}

/**
 * What is made ahead of need: held instances and the minimum of begun ones. It never takes anything from those who wait, and nothing
 * that has begun is ended for it, so that two functions never take turns in ending one another's.
 */
export class Stock {
  readonly #inventory: Inventory;
  readonly #clock: Clock;
  readonly #owner: StockOwner;
  readonly #alarm: Alarm;
  /** Since when it has been put off for programs that begin. */
  #putOffSinceMs: number | undefined;

  constructor(inventory: Inventory, clock: Clock, owner: StockOwner) {
    this.#inventory = inventory;
    this.#clock = clock;
    this.#owner = owner;
    this.#alarm = new Alarm(clock, () => this.#refill());
  }

  /** Something was taken, or may be made now. */
  refillWithin(delayMs: number): void {
    if (!this.#owner.isPaused()) this.#alarm.within(delayMs);
  }

  /** Makes nothing more until it is asked again. */
  stop(): void {
    this.#alarm.cancel();
  }

  /** One more than are held aside now may be. */
  get hasPlace(): boolean {
    return this.#aside().length < this.#inventory.limits.heldMax;
  }

  /** Most recently used revisions first, while nobody waits for a container. */
  #refill(): void {
    if (this.#owner.isPaused() || this.#inventory.underWay("serve") > 0) return; // What is under way comes here again when it is done.
    const nowMs = this.#clock.monotonicMs();
    if (this.#isPutOff(nowMs)) return;
    const groups = [...this.#inventory.groups].filter((group) => group.heldWanted > 0 || group.minimum > 0).sort((a, b) => b.lastUsedMs - a.lastUsedMs);
    const ripe = groups.filter((group) => group.refillAtMs <= nowMs);
    for (const group of groups) if (group.refillAtMs > nowMs) this.#alarm.within(group.refillAtMs - nowMs);
    for (const group of ripe) while (group.servingCount() < group.minimum && this.#owner.beginAhead(group));
    if (this.#inventory.underWay("serve") > 0) return;
    // The first that has to wait for room ends it: what is made for that one must not go to those behind it.
    ripe.filter((group) => this.#owner.canHold(group)).every((group) => this.#holdEnough(group));
  }

  /**
   * A program that begins has the host to itself, for a container that is made beside it costs it a quarter of its start and more. Not
   * for ever: programs may begin all the time.
   */
  #isPutOff(nowMs: number): boolean {
    if (![...this.#inventory.instances].some(({ state }) => state.phase === "starting")) {
      this.#putOffSinceMs = undefined;
      return false;
    }
    this.#putOffSinceMs ??= nowMs;
    const leftMs = this.#putOffSinceMs + this.#inventory.limits.refillPatienceMs - nowMs;
    if (leftMs > 0) this.#alarm.within(leftMs);
    return leftMs > 0;
  }

  /** False when more of it has to wait. */
  #holdEnough(group: RevisionGroup): boolean {
    while (group.heldCount() < group.heldWanted) {
      if (this.#inventory.underWay("hold") >= this.#inventory.limits.refillingMax || !this.#hasRoom(group)) return false;
      this.#owner.prepareHeld(group);
    }
    return true;
  }

  /**
   * Room for one more held instance, made where needed by ending the one whose function was used longest ago, unless that is used at about the
   * same time: functions that are all in use would take turns in ending one another's for ever.
   */
  #hasRoom(group: RevisionGroup): boolean {
    const wanted = { memoryBytes: this.#inventory.limits.heldCostBytes, instances: 1 };
    if (this.hasPlace && isNothing(this.#inventory.promiseShortfall(wanted))) return this.#inventory.isFree(wanted);
    const usedMs = (instance: Instance) => this.#inventory.groupOf(instance.revision).lastUsedMs;
    const [oldest] = this.#aside().sort((a, b) => usedMs(a) - usedMs(b));
    if (oldest !== undefined && usedMs(oldest) + this.#inventory.limits.restMs <= group.lastUsedMs) this.#owner.end(oldest); // Its end leads here again.
    return false;
  }

  #aside(): Instance[] {
    return [...this.#inventory.instances].filter((instance) => instance.isHeldAside);
  }
}

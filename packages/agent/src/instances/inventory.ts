import type { InstanceId, Revision } from "@longshore/protocol";
import type { Clock } from "../clock.ts";
import { Instance, type Purpose } from "./instance.ts";
import type { PoolLimits } from "./limits.ts";
import { RevisionGroup } from "./revision-group.ts";
import { isNothing, presentUsage, promisedUsage, shortfall, type Usage } from "./room.ts";

/** Which instances there are, by revision, and how much room they leave. */
export class Inventory {
  readonly instances = new Set<Instance>();
  readonly limits: PoolLimits;
  readonly #clock: Clock;
  readonly #groups = new Map<string, RevisionGroup>();

  constructor(limits: PoolLimits, clock: Clock) {
    this.limits = limits;
    this.#clock = clock;
  }

  get groups(): Iterable<RevisionGroup> {
    return this.#groups.values();
  }

  find(revisionDigest: string): RevisionGroup | undefined {
    return this.#groups.get(revisionDigest);
  }

  groupOf(revision: Revision): RevisionGroup {
    let group = this.#groups.get(revision.digest);
    if (group === undefined) {
      group = new RevisionGroup(revision, this.#clock.monotonicMs());
      this.#groups.set(revision.digest, group);
    }
    return group;
  }

  add(group: RevisionGroup, instanceId: InstanceId, purpose: Purpose): Instance {
    const { revision } = group;
    const slots = revision.spec.contract === "stdio" ? 1 : revision.spec.concurrency;
    const instance = new Instance({ instanceId, revision, slots, purpose, nowMs: this.#clock.monotonicMs() });
    group.instances.add(instance);
    this.instances.add(instance);
    return instance;
  }

  remove(instance: Instance): void {
    this.instances.delete(instance);
    const group = this.groupOf(instance.revision);
    group.instances.delete(instance);
    this.forgetIfUnused(group);
  }

  forgetIfUnused(group: RevisionGroup): void {
    if (group.isUnused) this.#groups.delete(group.revision.digest);
  }

  /** What promising `wanted` would exceed the limits by. */
  promiseShortfall(wanted: Usage): Usage {
    return shortfall(promisedUsage(this.instances, this.limits), wanted, this.limits);
  }

  /** `wanted` is free at this moment, what is ending not counted as gone. */
  isFree(wanted: Usage): boolean {
    return isNothing(shortfall(presentUsage(this.instances, this.limits), wanted, this.limits));
  }

  /** Programs that have begun and are not ready yet. */
  beginning(): number {
    let count = 0;
    for (const { state } of this.instances) if (state.phase === "starting") count += 1;
    return count;
  }

  /** Containers that are being made, of those made for that purpose where it is given. */
  underWay(purpose?: Purpose): number {
    let count = 0;
    for (const instance of this.instances) if (instance.isUnderWay && (purpose === undefined || instance.purpose === purpose)) count += 1;
    return count;
  }
}

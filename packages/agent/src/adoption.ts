import type { InstanceId, Revision } from "@longshore/protocol";
import type { Clock } from "./clock.ts";
import type { Engine } from "./engine/engine.ts";
import type { AdoptionCandidate } from "./engine/reconcile.ts";
import type { InstancePool } from "./instances/pool.ts";
import type { Launcher } from "./instances/prepared.ts";
import { removeForSure } from "./instances/removal.ts";
import type { Logger } from "./log.ts";

/** What an earlier process of this agent had begun waits that long for a broker to say which revision it is of. */
const waitMs = 60_000;

export interface AdoptionParts {
  readonly engine: Pick<Engine, "removeContainer">;
  readonly launcher: Pick<Launcher, "adopt">;
  readonly pool: Pick<InstancePool, "adopt">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Containers of an earlier process of this agent, until each is in use again or gone. */
export class Adoption {
  readonly #waiting = new Map<string, AdoptionCandidate>();
  /** Being taken over or removed. */
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #parts: AdoptionParts;
  readonly #cancelWait: () => void;

  constructor(candidates: readonly AdoptionCandidate[], parts: AdoptionParts) {
    for (const candidate of candidates) this.#waiting.set(candidate.instanceId, candidate);
    this.#parts = parts;
    this.#cancelWait = parts.clock.after(waitMs, () => this.#removeAll());
  }

  /** Instances that are looked after here. */
  get instanceIds(): Iterable<string> {
    return [...this.#waiting.keys(), ...this.#leaving.keys()];
  }

  /** The revision is known now, and current: what there is of it goes on serving. */
  revisionKnown(revision: Revision): void {
    for (const candidate of [...this.#waiting.values()]) {
      if (candidate.revisionDigest === revision.digest) this.#leave(candidate, this.#adopt(candidate, revision));
    }
  }

  /** Removes what nobody asked for; resolves once nothing is looked after here any more. */
  async close(): Promise<void> {
    this.#cancelWait();
    this.#removeAll();
    await Promise.all(this.#leaving.values());
  }

  #removeAll(): void {
    for (const candidate of [...this.#waiting.values()]) this.#leave(candidate, removeForSure(this.#parts, candidate.container.id));
  }

  #leave({ instanceId }: AdoptionCandidate, done: Promise<void>): void {
    this.#waiting.delete(instanceId);
    this.#leaving.set(instanceId, done.finally(() => this.#leaving.delete(instanceId)));
  }

  async #adopt(candidate: AdoptionCandidate, revision: Revision): Promise<void> {
    const { launcher, pool, log } = this.#parts;
    try {
      const prepared = await launcher.adopt(candidate, revision);
      if (!pool.adopt(revision, candidate.instanceId as InstanceId, prepared)) await prepared.stop();
    } catch (err) {
      log.warn({ err, instanceId: candidate.instanceId }, "instance not adopted");
      await removeForSure(this.#parts, candidate.container.id);
    }
  }
}

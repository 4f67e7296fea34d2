import type { InstanceId, Revision } from "@longshore/protocol";
import type { Clock } from "./clock.ts";
import type { Engine } from "./engine/engine.ts";
import type { AdoptionCandidate } from "./engine/reconcile.ts";
import type { InstancePool } from "./instances/pool.ts";
import type { Launcher } from "./instances/prepared.ts";
import type { Logger } from "./log.ts";

/** What an earlier process of this agent had begun waits that long for a broker to say which revision it is of. */
const waitMs = 60_000;

/** Containers of an earlier process of this agent, until it is known whether they are still of use. */
export class Adoption {
  readonly #waiting = new Map<string, AdoptionCandidate>();
  readonly #parts: { readonly engine: Pick<Engine, "removeContainer">; readonly launcher: Launcher; readonly pool: InstancePool; readonly log: Logger };
  readonly #cancelWait: () => void;

  constructor(candidates: readonly AdoptionCandidate[], parts: { engine: Pick<Engine, "removeContainer">; launcher: Launcher; pool: InstancePool; clock: Clock; log: Logger }) {
    for (const candidate of candidates) this.#waiting.set(candidate.instanceId, candidate);
    this.#parts = parts;
    this.#cancelWait = parts.clock.after(waitMs, () => void this.close());
  }

  /** Instances that are looked after here. */
  get instanceIds(): Iterable<string> {
    return this.#waiting.keys();
  }

  /** The revision is known now, and current: what there is of it goes on serving. */
  revisionKnown(revision: Revision): void {
    for (const candidate of [...this.#waiting.values()]) {
      if (candidate.revisionDigest === revision.digest) void this.#adopt(candidate, revision);
    }
  }

  /** Removes what nobody asked for. */
  async close(): Promise<void> {
    this.#cancelWait();
    await Promise.all([...this.#waiting.values()].map((candidate) => this.#remove(candidate)));
  }

  async #adopt(candidate: AdoptionCandidate, revision: Revision): Promise<void> {
    const { launcher, pool, log } = this.#parts;
    this.#waiting.delete(candidate.instanceId);
    try {
      pool.adopt(revision, candidate.instanceId as InstanceId, await launcher.adopt(candidate, revision));
    } catch (err) {
      log.warn({ err, instanceId: candidate.instanceId }, "instance not adopted");
      await this.#remove(candidate);
    }
  }

  async #remove(candidate: AdoptionCandidate): Promise<void> {
    this.#waiting.delete(candidate.instanceId);
    const { engine, log } = this.#parts;
    await engine.removeContainer(candidate.container.id).catch((err: unknown) => log.warn({ err, containerId: candidate.container.id }, "container not removed"));
  }
}

import type { Logger } from "../log.ts";
import { type Adoption, parseAdoption } from "./adoption.ts";
import type { Engine, OwnedContainer } from "./engine.ts";
import { instanceIdOf, labelKeys } from "./labels.ts";

/** What the agent believes about instances, whatever the engine says. */
export interface Belief {
  /** Instances that this process looks after, in whatever state: they are left alone. */
  readonly known: ReadonlySet<string>;
  /** Instances that the journal saw start an invocation without an end: their connection died with the agent, so they are ended. */
  readonly busy: ReadonlySet<string>;
  /** Whoever could adopt something has done so: what is not known is nobody's. Absent: what can go on serving is kept for that. */
  readonly isSettled?: boolean;
}

/** A running container of an earlier process of this agent that can go on serving. */
export interface AdoptionCandidate {
  readonly container: OwnedContainer;
  readonly instanceId: string;
  readonly revisionDigest: string;
  readonly adoption: Adoption;
}

/** Why a container is removed. */
export type RemovalCause = "not_running" | "no_instance" | "busy" | "not_adoptable" | "duplicate" | "left_over";

export interface ReconcilePlan {
  readonly adopt: readonly AdoptionCandidate[];
  readonly remove: readonly { readonly container: OwnedContainer; readonly cause: RemovalCause }[];
  /** Known instances that the engine no longer has. */
  readonly missing: readonly string[];
}

/** What was done of a plan. */
export interface Swept extends ReconcilePlan {
  /** What was to be removed and is still there. */
  readonly remaining: readonly OwnedContainer[];
}

/**
 * Decides what becomes of each container that carries the agent's label. Held containers of an earlier process are not among the
 * candidates for long: their stdin ended with that process, so they exit by themselves; a candidate must still show that it serves.
 */
export function planReconcile(owned: readonly OwnedContainer[], belief: Belief): ReconcilePlan {
  const adopt: AdoptionCandidate[] = [];
  const remove: { container: OwnedContainer; cause: RemovalCause }[] = [];
  const seen = new Set<string>();
  for (const container of owned) {
    const instanceId = instanceIdOf(container);
    if (instanceId !== undefined && belief.known.has(instanceId)) {
      seen.add(instanceId);
      continue;
    }
    const decision = decide(container, instanceId, belief, seen);
    if (typeof decision === "string") remove.push({ container, cause: decision });
    else {
      seen.add(decision.instanceId);
      adopt.push(decision);
    }
  }
  return { adopt, remove, missing: [...belief.known].filter((instanceId) => !seen.has(instanceId)) };
}

function decide(container: OwnedContainer, instanceId: string | undefined, belief: Belief, seen: ReadonlySet<string>): RemovalCause | AdoptionCandidate {
  if (!container.running) return "not_running";
  if (instanceId === undefined) return "no_instance";
  if (seen.has(instanceId)) return "duplicate";
  if (belief.busy.has(instanceId)) return "busy";
  const adoption = parseAdoption(container.labels[labelKeys.adoption]);
  const revisionDigest = container.labels[labelKeys.revisionDigest];
  // A lambda runtime's poll ended with the process that served it.
  const canServe = adoption?.mode === "become" && adoption.contract !== "lambda" && container.ip !== undefined;
  if (belief.isSettled === true) return "left_over"; // It could not be removed when it was to be: no run may go on in it unseen.
  return canServe && revisionDigest !== undefined && revisionDigest !== "" ? { container, instanceId, revisionDigest, adoption } : "not_adoptable";
}

/** How many containers are removed at a time: an engine that has just started is slow. */
const removalsAtOnce = 4;

/**
 * Compares the engine's containers with what the agent believes, removes what nobody needs, and says what remains to be adopted.
 * `belief` is asked after the engine has answered: an instance begun meanwhile is known by then.
 */
export async function sweep(engine: Pick<Engine, "listOwned" | "removeContainer">, belief: () => Belief, log?: Logger): Promise<Swept> {
  const owned = await engine.listOwned();
  const plan = planReconcile(owned, belief());
  const queue = [...plan.remove];
  const remaining: OwnedContainer[] = [];
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { container, cause } = next;
      // One that cannot be removed now is met again by the next sweep, and keeps none of the others from going.
      await engine.removeContainer(container.id).catch((error: unknown) => {
        remaining.push(container);
        log?.warn({ err: error, containerId: container.id, cause }, "container not removed");
      });
    }
  };
  await Promise.all(Array.from({ length: removalsAtOnce }, work));
  log?.info({ adopt: plan.adopt.length, removed: plan.remove.length, missing: plan.missing.length }, "containers reconciled");
  return { ...plan, remaining };
}

import { type AgentAddress, LongshoreError, type Revision } from "@longshore/protocol";
import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import { requirementsOf } from "../placement/requirement.ts";
import { type AgentEntry, isPlaceable, shareOf } from "../roster/agent-entry.ts";
import type { Asker } from "../roster/ask-agent.ts";
import type { Roster } from "../roster/roster.ts";
import { chooseImageKeepers, chooseKeeping, type Keeping } from "./choose-holders.ts";
import { registryOfRevision, type RegistryCredentials } from "./credentials.ts";
import { PrepareQueue } from "./prepare-queue.ts";
import { revisionForAgents } from "./revision.ts";
import type { Registry } from "./registry.ts";

export interface PreparerOptions {
  readonly registry: Registry;
  readonly roster: Roster;
  readonly asker: Asker;
  readonly credentials: Pick<RegistryCredentials, "find" | "onChange">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Changes within that time are answered by one pass. */
const gatherMs = 50;
/** A pass without a cause: whatever went wrong before is tried again. */
const repeatMs = 30_000;
/** A prepare answers once its image is there, and tells nothing before: a large image over a thin line takes a while. */
const prepareSilenceMs = 900_000;
/** A registry serves so many agents at once, and an agent brings so many images; a slow one must not keep the others. */
const prepareLimits = { atOnce: 8, perOwner: 2 } as const;
/** A deploy answers after that time even if an agent is still preparing. */
const deployWaitMs = 5_000;
/** A pass over a large fleet takes a while: so long at a time, then calls and heartbeats have their turn. */
const sliceMs = 5;
const restMs = 20;
const nothingKept: Keeping = { held: 0, minimum: 0 };

/**
 * Has agents know, hold and let go of revisions, and bring their images ahead: compares what each should have with what it was asked,
 * and asks for the rest, holders first and so many at once. Every broker does so; asks are idempotent and all brokers choose the same
 * agents.
 */
export class Preparer {
  readonly #options: PreparerOptions;
  /** What each process of an agent was asked last of each revision, in words of {@link prepareMark} or {@link retireMark}. A failed ask is taken out again. */
  readonly #asked = new WeakMap<AgentEntry, { readonly incarnation: string | undefined; readonly done: Map<string, string> }>();
  /** Who was to keep something ready of each revision, at the last pass: who no longer is hears of it. */
  readonly #keepers = new Map<string, ReadonlySet<AgentEntry>>();
  readonly #queue = new PrepareQueue(prepareLimits);
  readonly #abort = new AbortController();
  /** Ends the asks of an agent that is not heard any more. */
  readonly #gone = new WeakMap<AgentEntry, AbortController>();
  #cancelTimer: (() => void) | undefined;
  #isScheduled = false;
  /** A pass is under way; whether another one is to follow it. */
  #passing: { isOutdated: boolean } | undefined;

  constructor(options: PreparerOptions) {
    this.#options = options;
    const { registry, roster, credentials } = options;
    registry.onChange(({ before }) => {
      if (before !== undefined) {
        roster.placement.forgetRevision(before.digest);
        this.#keepers.delete(before.digest);
      }
      this.#soon();
    });
    credentials.onChange((tenantId, host) => this.#credentialChanged(tenantId, host));
    roster.observe({ changed: () => this.#soon(), arrived: () => this.#soon(), lost: (agent) => this.#lost(agent) });
  }

  /** Begins to compare; call once the registry has been read, or every revision would be retired. */
  start(): void {
    this.#pass();
  }

  close(): void {
    this.#abort.abort();
    this.#queue.close();
    this.#cancelTimer?.();
  }

  /**
   * A revision was stored, and an agent is known to have its image: resolves once that agent is prepared, or after a moment. What
   * others prepare goes on behind.
   */
  async deployed(revision: Revision, finder: AgentAddress): Promise<void> {
    const agent = this.#options.roster.get(finder.agentId);
    if (agent === undefined || !isPlaceable(agent) || !this.#eligible(revision).includes(agent)) return;
    const waiting = Promise.withResolvers<void>();
    const cancel = this.#options.clock.after(deployWaitMs, () => waiting.resolve());
    const keeping = this.#keeping(revision, this.#eligible(revision)).get(agent) ?? nothingKept;
    if (this.#begin(agent, revision.digest, prepareMark(keeping))) await Promise.race([this.#prepare(agent, revision, keeping), waiting.promise]);
    cancel();
  }

  #soon(): void {
    if (this.#isScheduled || this.#abort.signal.aborted || !this.#options.registry.isReady) return;
    if (this.#passing !== undefined) return void (this.#passing.isOutdated = true);
    this.#isScheduled = true;
    this.#cancelTimer?.();
    this.#cancelTimer = this.#options.clock.after(gatherMs, () => this.#pass());
  }

  #pass(): void {
    this.#isScheduled = false;
    this.#passing = { isOutdated: false };
    this.#goOn(this.#options.registry.list()[Symbol.iterator]());
  }

  /** Spreads revisions for a slice of time, and goes on after a rest. */
  #goOn(revisions: IterableIterator<Revision>): void {
    if (this.#abort.signal.aborted) return;
    const { clock, roster } = this.#options;
    const restAtMs = clock.nowMs() + sliceMs;
    for (const revision of revisions) {
      if (this.#options.registry.current(revision.digest) !== undefined) this.#spread(revision);
      if (clock.nowMs() >= restAtMs) return void (this.#cancelTimer = clock.after(restMs, () => this.#goOn(revisions)));
    }
    for (const agent of roster.agents()) if (agent.standing === "ready") this.#retireOld(agent);
    this.#finishPass();
  }

  #finishPass(): void {
    const isOutdated = this.#passing?.isOutdated === true;
    this.#passing = undefined;
    if (isOutdated) this.#soon();
    else this.#cancelTimer = this.#options.clock.after(repeatMs, () => this.#pass());
  }

  #lost(agent: AgentEntry): void {
    this.#gone.get(agent)?.abort();
    this.#gone.delete(agent);
  }

  #spread(revision: Revision): void {
    const eligible = this.#eligible(revision);
    const imageKeepers = revision.image.local ? eligible : chooseImageKeepers(revision.digest, eligible);
    const keeping = this.#keeping(revision, revision.spec.minInstances > 0 ? eligible : imageKeepers); // Who holds is among each site's first keepers.
    const before = [...(this.#keepers.get(revision.digest) ?? [])].filter((agent) => isPlaceable(agent));
    this.#keepers.set(revision.digest, new Set(keeping.keys()));
    for (const agent of new Set([...keeping.keys(), ...imageKeepers, ...before])) {
      const own = keeping.get(agent) ?? nothingKept;
      if (this.#begin(agent, revision.digest, prepareMark(own))) this.#queue.add(agent, own !== nothingKept, () => this.#prepare(agent, revision, own));
    }
  }

  /** Agents that were told of the registry's revisions hear again, with the credential that is right now. */
  #credentialChanged(tenantId: string, host: string): void {
    for (const revision of this.#options.registry.list()) {
      if (revision.tenantId !== tenantId || registryOfRevision(revision) !== host) continue;
      for (const agent of this.#options.roster.agents()) this.#undo(agent, revision.digest);
    }
    this.#soon();
  }

  #eligible(revision: Revision): AgentEntry[] {
    const requirement = requirementsOf(revision, {}).at(-1);
    return requirement === undefined ? [] : [...this.#options.roster.placement.eligible(requirement)];
  }

  /** What each agent is to keep ready. Of an image that is in no registry a minimum can be kept only by those that have it, once they are known. */
  #keeping(revision: Revision, eligible: readonly AgentEntry[]): Map<AgentEntry, Keeping> {
    const { digest, spec, image } = revision;
    const having = image.local && spec.minInstances > 0 ? eligible.filter((agent) => agent.shares.get(digest)?.capacity?.imagePresent === true) : eligible;
    return chooseKeeping(digest, spec.minInstances, having.length > 0 ? having : eligible);
  }

  /** An image that is in no registry may be absent at an agent: that is no fault. */
  async #prepare(agent: AgentEntry, revision: Revision, keeping: Keeping): Promise<void> {
    const { digest, tenantId, image } = revision;
    const { held, minimum } = keeping;
    try {
      if (this.#asked.get(agent)?.done.get(digest) !== prepareMark(keeping)) return; // It waited, and is to keep something else by now.
      if (this.#options.registry.current(digest) === undefined) return; // It waited, and was replaced.
      const credential = this.#options.credentials.find(tenantId, image.reference);
      await this.#ask(agent, { ask: "prepare", revision: revisionForAgents(revision), held, minimum, ...(credential && { credential }) });
      this.#markPresent(agent, revision);
    } catch (err) {
      const isAbsent = revision.image.local && err instanceof LongshoreError && err.reason === "image_not_found";
      if (isAbsent) return;
      this.#undo(agent, digest);
      if (!this.#abort.signal.aborted) this.#options.log.warn({ err, agentId: agent.address.agentId, revisionId: revision.revisionId }, "agent did not prepare revision");
    }
  }

  #retireOld(agent: AgentEntry): void {
    for (const digest of agent.shares.keys()) {
      if (agent.shares.get(digest)?.capacity === undefined || this.#options.registry.current(digest) !== undefined) continue;
      void this.#retire(agent, digest);
    }
  }

  async #retire(agent: AgentEntry, revisionDigest: string): Promise<void> {
    if (!this.#begin(agent, revisionDigest, retireMark)) return;
    try {
      await this.#ask(agent, { ask: "retire", revisionDigest });
    } catch (err) {
      this.#undo(agent, revisionDigest);
      if (!this.#abort.signal.aborted) this.#options.log.warn({ err, agentId: agent.address.agentId, revisionDigest }, "agent did not retire revision");
    }
  }

  async #ask(agent: AgentEntry, question: Parameters<Asker["ask"]>[1]): Promise<void> {
    const gone = this.#gone.get(agent) ?? new AbortController();
    this.#gone.set(agent, gone);
    await this.#options.asker.ask(agent.address, question, { silenceMs: prepareSilenceMs, signal: AbortSignal.any([this.#abort.signal, gone.signal]) });
  }

  /** Until its next heartbeat says so itself: the agent has the image. */
  #markPresent(agent: AgentEntry, revision: Revision): void {
    const share = shareOf(agent, revision.digest);
    share.capacity ??= { revisionDigest: revision.digest, freeSlots: 0, running: 0, instances: 0, held: 0, starting: 0, imagePresent: true };
    this.#options.roster.placement.shareChanged(agent, revision.digest);
    if (revision.image.local && revision.spec.minInstances > 0) this.#soon(); // Who has the image decides who keeps its minimum.
  }

  /** False when the same was the last that this process of the agent was asked of the revision. */
  #begin(agent: AgentEntry, digest: string, mark: string): boolean {
    const incarnation = agent.incarnations.current;
    let asked = this.#asked.get(agent);
    if (asked?.incarnation !== incarnation) asked = undefined;
    asked ??= { incarnation, done: new Map() };
    this.#asked.set(agent, asked);
    if (asked.done.get(digest) === mark) return false;
    asked.done.set(digest, mark);
    return true;
  }

  #undo(agent: AgentEntry, digest: string): void {
    this.#asked.get(agent)?.done.delete(digest);
  }
}

const prepareMark = ({ held, minimum }: Keeping) => `held ${held}, minimum ${minimum}`;
const retireMark = "retired";

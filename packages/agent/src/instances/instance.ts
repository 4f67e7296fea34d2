import type { InstanceId, Revision, StartKind } from "@longshore/protocol";
import type { RunningInstance } from "../contracts/contract.ts";
import type { PreparedInstance } from "./prepared.ts";

/**
 * The life of an instance: one container of one revision on this agent. Each phase holds exactly what it owns.
 *
 * ```
 *  preparing ──▶ held ──▶ starting ──▶ ready (idle | busy) ──▶ stopping ──▶ gone
 *      │           │          │              │                    ▲
 *      └───────────┴──────────┴──────────────┴── failed, evicted ─┘
 * ```
 * `ready` with no invocation under way is idle, else busy. A `run` instance (stdio) goes from held to ready at once, serves one
 * invocation and stops. A plain start (no `hold` for the architecture) goes from preparing to starting.
 */
export type InstanceState =
  | { readonly phase: "preparing"; readonly sinceMs: number }
  | { readonly phase: "held"; readonly sinceMs: number; readonly prepared: PreparedInstance }
  | { readonly phase: "starting"; readonly sinceMs: number; readonly prepared: PreparedInstance }
  | { readonly phase: "ready"; readonly sinceMs: number; readonly prepared: PreparedInstance; readonly running: RunningInstance; readonly active: number; readonly isRetiring: boolean }
  | { readonly phase: "stopping"; readonly sinceMs: number; readonly hadBegun: boolean }
  | { readonly phase: "gone"; readonly sinceMs: number };

/** What may follow each phase; everything else is a fault of ours. `ready` follows itself as invocations come and go. */
const successors: Record<InstanceState["phase"], readonly InstanceState["phase"][]> = {
  preparing: ["held", "starting", "ready", "stopping", "gone"],
  held: ["starting", "ready", "stopping"],
  starting: ["ready", "stopping"],
  ready: ["ready", "stopping"],
  stopping: ["gone"],
  gone: [],
};

/** Why an instance is being made: to be kept held, or for an invocation that waits. */
export type Purpose = "hold" | "serve";

/** One instance: who it is, and the one place where its state changes. */
export class Instance {
  readonly instanceId: InstanceId;
  readonly revision: Revision;
  /** How many invocations it takes at once. */
  readonly slots: number;
  purpose: Purpose;
  /** What its container is being made for, by the engine, right now; undefined before and after. Room was taken for that. */
  madeFor: Purpose | undefined;
  /** How those who wait for its start have been served: from held, or from nothing. */
  startKind: StartKind = "cold";
  /** An invocation was given to it, at some time. */
  hasServed = false;
  /** It is to end once its work is done, to make room for a function that has fewer instances. */
  isCeding = false;
  /** When an invocation last ended, or it became ready. */
  lastUsedMs: number;
  /** When it began to come to those who wait: it was held until then, or there was nothing of it. */
  promisedMs: number;
  #state: InstanceState;

  constructor(identity: { instanceId: InstanceId; revision: Revision; slots: number; purpose: Purpose; nowMs: number }) {
    this.instanceId = identity.instanceId;
    this.revision = identity.revision;
    this.slots = identity.slots;
    this.purpose = identity.purpose;
    this.lastUsedMs = identity.nowMs;
    this.promisedMs = identity.nowMs;
    this.#state = { phase: "preparing", sinceMs: identity.nowMs };
  }

  get state(): InstanceState {
    return this.#state;
  }

  /** Moves on to the next state; throws when that cannot follow the present one. */
  become(next: InstanceState): void {
    if (!successors[this.#state.phase].includes(next.phase)) {
      throw new Error(`Instance ${this.instanceId} cannot go from ${this.#state.phase} to ${next.phase}`);
    }
    this.#state = next;
  }

  /** Ready and with a free slot for one more invocation. */
  get hasFreeSlot(): boolean {
    return this.isServing && this.#state.phase === "ready" && this.#state.active < this.slots;
  }

  /** Ready, and goes on to take invocations. */
  get isServing(): boolean {
    return this.#state.phase === "ready" && !this.#state.isRetiring && !this.isCeding;
  }

  /** Its container is being made. */
  get isUnderWay(): boolean {
    return this.madeFor !== undefined;
  }

  /** Being made or begun for whoever waits. */
  get isComing(): boolean {
    const { phase } = this.#state;
    return phase === "starting" || ((phase === "preparing" || phase === "held") && this.purpose === "serve");
  }

  /** Held, or being made to be, and promised to nobody. */
  get isHeldAside(): boolean {
    const { phase } = this.#state;
    return (phase === "held" || phase === "preparing") && this.purpose === "hold";
  }

  get isIdle(): boolean {
    return this.isServing && this.#state.phase === "ready" && this.#state.active === 0;
  }

  /** The agent is ending it, whatever runs on it. */
  get isEnding(): boolean {
    return this.#state.phase === "stopping" || this.#state.phase === "gone";
  }

  /** Its program has begun and may still be running. */
  get hasBegun(): boolean {
    const { phase } = this.#state;
    return phase === "starting" || phase === "ready" || (this.#state.phase === "stopping" && this.#state.hadBegun);
  }
}

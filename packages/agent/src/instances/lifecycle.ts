import { LongshoreError } from "@longshore/protocol";
import type { Clock } from "../clock.ts";
import type { RunningInstance } from "../contracts/contract.ts";
import type { Instance } from "./instance.ts";
import type { Launcher, PreparedInstance } from "./prepared.ts";

/** What becomes of instances. */
export interface LifecycleEvents {
  /** Its container is there: it is held, or begins at once. The engine can make another. */
  made(instance: Instance): void;
  ready(instance: Instance): void;
  /** It could not be made or begun; it is gone or on its way there. */
  failed(instance: Instance, error: LongshoreError): void;
  /** Its container ended though nobody had asked for it; `heldMs` is how long it had been held where it had not begun. */
  died(instance: Instance, heldMs: number | undefined): void;
  /** It is on its way out and takes nothing more. */
  ending(instance: Instance): void;
  /** Nothing of it is left. */
  gone(instance: Instance): void;
}

/** Takes instances from one phase to the next; the only place that calls the launcher and what it made. */
export class Lifecycle {
  readonly #launcher: Launcher;
  readonly #clock: Clock;
  readonly #events: LifecycleEvents;

  constructor(launcher: Launcher, clock: Clock, events: LifecycleEvents) {
    this.#launcher = launcher;
    this.#clock = clock;
    this.#events = events;
  }

  /** Makes its container: it is held next, or begins at once where it cannot be. */
  prepare(instance: Instance): void {
    instance.madeFor = instance.purpose;
    this.#launcher.prepare({ instanceId: instance.instanceId, revision: instance.revision }).then(
      (prepared) => this.#onPrepared(instance, prepared),
      (error: unknown) => this.#onPrepareFailed(instance, startFailure(instance, error)),
    );
  }

  /** Begins the program of a held instance. */
  begin(instance: Instance): void {
    const { state } = instance;
    if (state.phase !== "held") throw new Error(`Instance ${instance.instanceId} is ${state.phase}, not held`);
    this.#begin(instance, state.prepared);
  }

  /** Goes on with an instance whose program had begun before. */
  adopt(instance: Instance, prepared: PreparedInstance): void {
    this.#watch(instance, prepared);
    this.#begin(instance, prepared);
  }

  /** Ends one: what had begun gets its stop signal, what had not is removed. */
  end(instance: Instance): void {
    const { state } = instance;
    if (state.phase === "stopping" || state.phase === "gone") return;
    const hadBegun = instance.hasBegun;
    if (state.phase === "preparing" && !instance.isUnderWay) return this.#onGone(instance);
    instance.become({ phase: "stopping", sinceMs: this.#clock.monotonicMs(), hadBegun });
    this.#events.ending(instance);
    if (state.phase === "preparing") return; // Removed as soon as the engine has made it.
    void (hadBegun ? state.prepared.stop() : state.prepared.discard()).then(() => this.#onGone(instance));
  }

  #onPrepared(instance: Instance, prepared: PreparedInstance): void {
    instance.madeFor = undefined;
    if (instance.isEnding) return void prepared.discard().then(() => this.#onGone(instance));
    this.#watch(instance, prepared);
    if (prepared.isHeld) instance.become({ phase: "held", sinceMs: this.#clock.monotonicMs(), prepared });
    else this.#begin(instance, prepared);
    this.#events.made(instance);
  }

  #onPrepareFailed(instance: Instance, error: LongshoreError): void {
    instance.madeFor = undefined;
    const wasEnding = instance.isEnding;
    this.#onGone(instance);
    if (!wasEnding) this.#events.failed(instance, error);
  }

  #begin(instance: Instance, prepared: PreparedInstance): void {
    const begun = prepared.begin();
    if (!(begun instanceof Promise)) return this.#onReady(instance, prepared, begun);
    instance.become({ phase: "starting", sinceMs: this.#clock.monotonicMs(), prepared });
    begun.then(
      (running) => this.#onReady(instance, prepared, running),
      (error: unknown) => this.#onStartFailed(instance, startFailure(instance, error)),
    );
  }

  #onReady(instance: Instance, prepared: PreparedInstance, running: RunningInstance): void {
    if (instance.isEnding) return;
    const nowMs = this.#clock.monotonicMs();
    instance.lastUsedMs = nowMs;
    instance.become({ phase: "ready", sinceMs: nowMs, prepared, running, active: 0, isRetiring: false });
    this.#events.ready(instance);
  }

  #onStartFailed(instance: Instance, error: LongshoreError): void {
    if (instance.isEnding) return;
    this.end(instance);
    this.#events.failed(instance, error);
  }

  #watch(instance: Instance, prepared: PreparedInstance): void {
    void prepared.exited.then(() => this.#onExited(instance));
  }

  /**
   * What runs on it is given the time to hear of it by its own ways: its last output may still be on its way, and is lost with the
   * container. Until these have let go of it, it only takes nothing new.
   */
  #onExited(instance: Instance): void {
    const { state } = instance;
    if (instance.isEnding || state.phase === "starting") return; // The start's own failure tells more.
    if (state.phase === "ready" && state.active > 0) instance.become({ ...state, isRetiring: true });
    else this.end(instance);
    this.#events.died(instance, state.phase === "held" ? this.#clock.monotonicMs() - state.sinceMs : undefined);
  }

  #onGone(instance: Instance): void {
    instance.become({ phase: "gone", sinceMs: this.#clock.monotonicMs() });
    this.#events.gone(instance);
  }
}

function startFailure(instance: Instance, error: unknown): LongshoreError {
  return LongshoreError.from(error, `Cannot start instance of "${instance.revision.functionName}"`).at("startup");
}

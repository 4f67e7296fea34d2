import type { Clock } from "../../clock.ts";
import type { Suspension } from "../../engine/container-freezer.ts";

/**
 * Stops an instance's processes while it has nothing to do, as Lambda does: nothing runs between invocations.
 *
 * Invariants: F1 whoever waits for {@link wake} finds it running, unless that fails. F2 calls to the engine follow one another.
 */
export class Freezer {
  readonly #suspension: Suspension;
  readonly #clock: Clock;
  readonly #restMs: number;
  readonly #failed: (error: unknown) => void;
  #cancelTimer: (() => void) | undefined;
  /** The pause that was begun, until it is undone; false when it failed. */
  #paused: Promise<boolean> | undefined;
  #waking: Promise<void> | undefined;

  /** `restMs` is how long it may go on with nothing to do; `failed` hears of a pause that failed, which costs nothing but processor time. */
  constructor(suspension: Suspension, clock: Clock, restMs: number, failed: (error: unknown) => void) {
    this.#suspension = suspension;
    this.#clock = clock;
    this.#restMs = restMs;
    this.#failed = failed;
  }

  /** It has nothing to do from now on. */
  rest(): void {
    this.#cancelTimer ??= this.#clock.after(this.#restMs, () => {
      this.#cancelTimer = undefined;
      this.#paused = (this.#waking ?? Promise.resolve()).then(() => this.#pause()); // F2
    });
  }

  /** It is needed: undefined when it runs, else resolves as soon as it does. Rejects with an EngineError. */
  wake(): Promise<void> | undefined {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const paused = this.#paused;
    if (paused === undefined) return this.#waking; // F1
    this.#paused = undefined;
    const waking = paused.then((isPaused) => (isPaused ? this.#suspension.resume() : undefined)); // F2
    this.#waking = waking;
    const done = () => {
      if (this.#waking === waking) this.#waking = undefined;
    };
    waking.then(done, done);
    return waking;
  }

  async #pause(): Promise<boolean> {
    try {
      await this.#suspension.pause();
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }
}

import type { InvocationId, TenantId } from "@longshore/protocol";
import type { Clock } from "../clock.ts";

/** Somebody who waits for an invocation to end. */
export interface Ending {
  /** Resolves when it has ended, or after the time that was given. */
  readonly promise: Promise<void>;
  cancel(): void;
}

/** What is told by a message may get lost: whoever waits looks by itself that often. */
const lookMs = 5_000;

/** Those who wait for accepted invocations to end. */
export class Endings {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wait(tenantId: TenantId, invocationId: InvocationId, waitMs: number): Ending {
    const key = `${tenantId}.${invocationId}`;
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = () => {
      cancelTimer();
      const waiting = this.#waiting.get(key);
      if (waiting?.delete(end) === true && waiting.size === 0) this.#waiting.delete(key);
      resolve();
    };
    const cancelTimer = this.#clock.after(Math.min(waitMs, lookMs), end);
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) this.#waiting.set(key, new Set([end]));
    else waiting.add(end);
    return { promise, cancel: end };
  }

  ended(tenantId: TenantId, invocationId: InvocationId): void {
    for (const end of [...(this.#waiting.get(`${tenantId}.${invocationId}`) ?? [])]) end();
  }

  /** Lets everybody go. */
  close(): void {
    for (const waiting of [...this.#waiting.values()]) for (const end of [...waiting]) end();
  }
}

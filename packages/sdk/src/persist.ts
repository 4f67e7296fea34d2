import { LongshoreError } from "@longshore/protocol";
import { backoffMs } from "./backoff.ts";
import { pause } from "./timer.ts";
import { mayPass } from "./watch.ts";

/** How long something is tried again. */
export interface Patience {
  /** Since the first time; asked after each failure. */
  readonly withinMs: () => number;
  readonly signal?: AbortSignal | undefined;
}

/** Does again what may succeed a little later; rejects with the last failure once that takes too long, with one that will not pass, or when the signal aborted. */
export async function persist<T>(attempt: () => Promise<T>, { withinMs, signal }: Patience): Promise<T> {
  const sinceMs = performance.now();
  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      const waitMs = waitAfter(error, failures);
      if (signal?.aborted === true || !mayPass(error) || performance.now() - sinceMs + waitMs > withinMs()) throw error;
      await pause(waitMs, signal);
    }
  }
}

/** A broker that names a time is not asked before. */
function waitAfter(error: unknown, failures: number): number {
  const asked = error instanceof LongshoreError ? (error.retryAfterMs ?? 0) : 0;
  return Math.max(asked, backoffMs(failures));
}

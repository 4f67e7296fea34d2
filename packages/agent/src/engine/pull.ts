import { EngineError, type PullOptions } from "./engine.ts";
import { engineError, failureOf } from "./failure.ts";
import { createPullCounter, type PullCounter, type PullLine } from "./pull-progress.ts";

/** Asks an engine for an image; the lines end when it is there, or with the one that carries an error. */
export type OpenPull = (reference: string, options: { credential: PullOptions["credential"]; signal: AbortSignal }) => Promise<AsyncIterable<PullLine>>;

/** A registry that sends nothing for that long is given up. Less than the time for which brokers wait for a word of progress. */
export const defaultPullSilenceMs = 90_000;
/** Those who wait hear that a pull goes on, also while it comes no further. */
const tellEveryMs = 5_000;

/** Brings images, each only once at a time. */
export interface Pulls {
  /** Resolves when the image is there. Rejects with an EngineError, or with the signal's reason. */
  pull(reference: string, options: PullOptions): Promise<void>;
}

/** One pull under way and who waits for it. */
interface SharedPull {
  readonly finished: Promise<void>;
  readonly waiting: Set<PullOptions>;
  readonly counter: PullCounter;
  readonly abort: AbortController;
}

/**
 * Shares pulls of one reference: a burst of starts of a new function asks for its image as often as it has calls, and an engine that
 * is asked fifty times at once opens fifty streams. The pull goes on while anyone waits for it; who leaves does not disturb the rest.
 */
export function createPulls(open: OpenPull, silenceMs = defaultPullSilenceMs): Pulls {
  const underWay = new Map<string, SharedPull>();

  const begin = (key: string, reference: string, credential: PullOptions["credential"]): SharedPull => {
    const abort = new AbortController();
    const waiting = new Set<PullOptions>();
    const counter = createPullCounter();
    const finished = run({ open, reference, credential, signal: abort.signal, silenceMs, counter, waiting }).finally(() => {
      if (underWay.get(key) === shared) underWay.delete(key);
    });
    const shared = { finished, waiting, counter, abort };
    underWay.set(key, shared);
    return shared;
  };

  return {
    async pull(reference, options) {
      options.signal?.throwIfAborted();
      const key = keyOf(reference, options.credential);
      const shared = underWay.get(key) ?? begin(key, reference, options.credential);
      try {
        await take(shared, options);
      } finally {
        if (shared.waiting.size === 0) {
          if (underWay.get(key) === shared) underWay.delete(key);
          shared.abort.abort();
        }
      }
    },
  };
}

/** A pull with one credential must not answer for a pull with another. */
function keyOf(reference: string, credential: PullOptions["credential"]): string {
  return JSON.stringify([reference, credential?.username, credential?.password]);
}

async function take(shared: SharedPull, options: PullOptions): Promise<void> {
  shared.waiting.add(options);
  if (shared.counter.progress.layers > 0) options.onProgress?.(shared.counter.progress);
  const left = Promise.withResolvers<never>();
  const leave = () => left.reject(options.signal?.reason);
  options.signal?.addEventListener("abort", leave, { once: true });
  try {
    await Promise.race([shared.finished, left.promise]);
  } finally {
    options.signal?.removeEventListener("abort", leave);
    shared.waiting.delete(options);
  }
}

interface RunningPull {
  readonly open: OpenPull;
  readonly reference: string;
  readonly credential: PullOptions["credential"];
  readonly signal: AbortSignal;
  readonly silenceMs: number;
  readonly counter: PullCounter;
  readonly waiting: ReadonlySet<PullOptions>;
}

async function run({ open, reference, credential, signal, silenceMs, counter, waiting }: RunningPull): Promise<void> {
  const action = `Cannot pull "${reference}"`;
  const silence = watchSilence(silenceMs);
  let toldMs = 0;
  try {
    for await (const line of await open(reference, { credential, signal: AbortSignal.any([signal, silence.signal]) })) {
      silence.broken();
      if (line.error !== undefined || line.errorDetail !== undefined) throw lineError(action, line);
      const hasChanged = counter.add(line);
      if (!hasChanged && (counter.progress.layers === 0 || performance.now() - toldMs < tellEveryMs)) continue;
      toldMs = performance.now();
      for (const { onProgress } of waiting) onProgress?.(counter.progress);
    }
    if (silence.signal.aborted) throw new Error("ended");
  } catch (error) {
    if (silence.signal.aborted) throw new EngineError("internal", 200, `${action}: its registry has sent nothing for ${silenceMs / 1000} s`, error);
    throw engineError(action, error);
  } finally {
    silence.end();
  }
}

/** A signal that aborts once nothing was heard for that long. */
function watchSilence(silenceMs: number): { readonly signal: AbortSignal; broken(): void; end(): void } {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), silenceMs);
  return { signal: abort.signal, broken: () => timer.refresh(), end: () => clearTimeout(timer) };
}

/** The engine had already answered 200 when the pull failed: unless the line has a code of its own, the status says nothing. */
function lineError(action: string, line: PullLine): EngineError {
  const code = line.errorDetail?.code;
  const message = `${action}: ${line.errorDetail?.message ?? line.error ?? ""}`;
  return code === undefined || code < 400 ? new EngineError("internal", 200, message) : new EngineError(failureOf(code), code, message);
}

import { LongshoreError } from "@longshore/protocol";
import type { Interrupts } from "../command-line/interrupts.ts";
import { errorMessage } from "../failure.ts";
import type { Progress } from "../terminal/progress.ts";
import type { RunningPart } from "./parts.ts";

/** The parts of a fleet that this process has started, so that all of them end whatever happens. */
export interface StartedParts {
  /** Starts one more. Throws `caller_gone` once {@link stop} has begun. */
  readonly add: <T extends RunningPart>(name: string, start: () => Promise<T>) => Promise<T>;
  /**
   * Ends all of them, those that are still starting too. What runs may finish within the deadline (default: each part's own), unless another
   * interrupt says at once.
   * True when nothing was cut short; throws when a part did not end cleanly.
   */
  readonly stop: (deadlineMs: number | undefined, progress: Progress) => Promise<boolean>;
}

interface Started {
  readonly name: string;
  readonly part: Promise<RunningPart>;
}

/** Parts that end in the opposite order of their starts: all others together, then the first, the broker that their answers go through. */
export function createStartedParts(interrupts: Interrupts, starting: Progress): StartedParts {
  const started: Started[] = [];
  const stopping = new AbortController();
  const isStopping = () => stopping.signal.aborted;
  return {
    add: async (name, start) => {
      if (isStopping()) throw new LongshoreError("caller_gone", `Cannot start ${name}: interrupted`);
      starting.update(name, "starting");
      const part = start();
      started.push({ name, part });
      const running = await part;
      if (!isStopping()) starting.update(name, "running");
      return running;
    },
    stop: async (deadlineMs, progress) => {
      stopping.abort();
      const [first, ...others] = started;
      const faults: unknown[] = [];
      const atOnce = new AbortController();
      void interrupts.next().then(() => atOnce.abort());
      const end = ({ name, part }: Started): Promise<void> => endPart(name, part, { deadlineMs, atOnce: atOnce.signal, progress }).catch((error: unknown) => void faults.push(error));
      await Promise.all(others.map(end));
      if (first !== undefined) await end(first);
      if (faults.length > 0) throw new AggregateError(faults, `Cannot stop cleanly: ${faults.map(errorMessage).join("; ")}`);
      return !atOnce.signal.aborted;
    },
  };
}

interface Ending {
  readonly deadlineMs: number | undefined;
  readonly atOnce: AbortSignal;
  readonly progress: Progress;
}

async function endPart(name: string, part: Promise<RunningPart>, { deadlineMs, atOnce, progress }: Ending): Promise<void> {
  // A part that did not start has cleaned up behind itself, and its error is told by whoever asked for it.
  const running = await part.catch(() => undefined);
  if (running === undefined) return;
  progress.update(name, "stopping");
  try {
    if (!atOnce.aborted) await Promise.race([running.drain(deadlineMs ?? running.drainMs), aborted(atOnce)]);
  } finally {
    await running.close();
  }
  progress.update(name, "stopped");
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

import type { Clock } from "../clock.ts";
import type { Engine, EngineDescription } from "../engine/engine.ts";
import type { Logger } from "../log.ts";

/** How long after an answer the engine is asked again. It has five seconds to answer: within ten it is known to be away, or frozen. */
const checkEveryMs = 4_000;

/** Whether the engine answers, and what it last said of itself. */
export interface EngineHealth {
  readonly description: EngineDescription;
  /** Why it cannot be used; undefined while it can. */
  readonly problem: string | undefined;
  close(): void;
}

/** Asks the engine again and again; `onChange` when it goes away or comes back. */
export function watchEngineHealth(engine: Pick<Engine, "describe">, first: EngineDescription, clock: Clock, log: Logger, onChange: () => void): EngineHealth {
  let description = first;
  let problem: string | undefined;
  let isClosed = false;
  let cancel = clock.after(checkEveryMs, () => void check());

  const settle = (next: string | undefined) => {
    if (next === problem || isClosed) return;
    problem = next;
    log[next === undefined ? "info" : "error"]({ problem: next }, next === undefined ? "engine answers again" : "engine does not answer");
    onChange();
  };
  const check = async () => {
    try {
      description = await engine.describe();
      settle(undefined);
    } catch {
      settle("the container engine does not answer");
    }
    if (!isClosed) cancel = clock.after(checkEveryMs, () => void check());
  };

  return {
    get description() {
      return description;
    },
    get problem() {
      return problem;
    },
    close() {
      isClosed = true;
      cancel();
    },
  };
}

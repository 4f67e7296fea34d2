import type { Outcome } from "@longshore/protocol";
import type { Story } from "./arrange.ts";
import type { EventOf } from "./history.ts";

/** One time that the result of an invocation was told: to its caller, or to who read its record. What it did not say is absent. */
export interface Telling {
  readonly event: EventOf<"record"> | EventOf<"answered">;
  readonly outcome: Outcome;
  readonly reason: string | undefined;
  readonly agentId: string | undefined;
  readonly output: string | undefined;
  readonly attempt: number | undefined;
  readonly finishedMs: number;
}

/** Every telling of an invocation's result: records first. */
export function tellingsOf({ records, answers }: Story): Telling[] {
  return [...records, ...answers].map((event) => ({
    event,
    outcome: event.outcome,
    reason: event.reason,
    agentId: event.agentId,
    output: event.output,
    attempt: event.event === "record" ? event.attempt : undefined,
    finishedMs: event.event === "record" ? event.finishedMs : event.atMs,
  }));
}

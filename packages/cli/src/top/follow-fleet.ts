import type { Fleet } from "../fleet.ts";
import { isUnknownToBroker } from "../invocation/follow-records.ts";
import { type FleetNow, historyMs, takeAgents, takeEvent, takeHistory } from "./fleet-now.ts";

type Source = Pick<Fleet, "watch" | "history" | "agents">;

export interface FollowFleetOptions {
  readonly signal: AbortSignal;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Takes everything in that happens, and what was before; yields whenever something did. Ends with the signal, or an error that will not pass. */
export async function* followFleet(source: Source, state: FleetNow, { signal, now }: FollowFleetOptions): AsyncGenerator<void, void> {
  for await (const event of source.watch({ signal })) {
    const isAgain = event.event === "caught_up" && state.isCaughtUp;
    takeEvent(state, event, now());
    if (isAgain) takeAgents(state, await source.agents.list());
    if (event.event === "caught_up") await readHistory(source, state, now);
    yield;
  }
}

/** Takes in what stands now and what was before, then ends. */
export async function lookOnce(source: Source, state: FleetNow, options: FollowFleetOptions): Promise<void> {
  for await (const _ of followFleet(source, state, options)) if (state.isCaughtUp) return;
}

/** A broker that keeps no history is asked for nothing more: what is seen live has to do. */
async function readHistory({ history }: Source, state: FleetNow, now: () => number): Promise<void> {
  try {
    takeHistory(state, await history({ lastMs: historyMs }), now());
  } catch (error) {
    if (!isUnknownToBroker(error)) throw error;
  }
}

import type { AgentAddress, Revision } from "@longshore/protocol";
import type { FleetHandlers } from "../../packages/broker/src/bus/bus.ts";
import { systemClock } from "../../packages/broker/src/clock.ts";
import type { AgentEntry } from "../../packages/broker/src/roster/agent-entry.ts";
import { Roster } from "../../packages/broker/src/roster/roster.ts";
import { TestJoined } from "../../packages/broker/src/roster/testing/test-fleet.ts";

/** A broker's roster and placement, in this process, filled by what agents say on the bus. */
export class DecidingRoster implements FleetHandlers {
  readonly roster: Roster;
  /** Agents that have been chosen and not yet been done with, the oldest first. */
  readonly #busy: [AgentEntry, Revision][] = [];

  constructor(addresses: readonly AgentAddress[]) {
    const joined = new TestJoined();
    this.roster = new Roster({ joined, clock: systemClock, introduce: () => Promise.resolve() });
    for (const { agentId, siteId } of addresses) joined.join(agentId, { site: siteId });
  }

  heartbeat(...said: Parameters<FleetHandlers["heartbeat"]>): void {
    this.roster.heartbeat(...said);
  }

  introduction(...said: Parameters<FleetHandlers["introduction"]>): void {
    this.roster.introduction(...said);
  }

  orphan(): void {}

  outcome(): void {}

  /** So many agents are ready. */
  get readyCount(): number {
    return [...this.roster.agents()].filter(({ standing }) => standing === "ready").length;
  }

  /** Places so many invocations of random functions, the first of which are called most; returns how long each decision took, in microseconds. */
  decide(count: number, revisions: readonly Revision[], inFlight: number): number[] {
    const { placement } = this.roster;
    return Array.from({ length: count }, () => {
      const revision = revisions[Math.floor(Math.random() ** 3 * revisions.length)];
      if (revision === undefined) throw new Error("There are no functions");
      const beginMs = performance.now();
      const chosen = placement.choose(revision, {});
      if (typeof chosen === "string" || chosen instanceof Error) throw new Error(`Expected an agent for ${revision.functionName}, got ${String(chosen)}`);
      placement.took(chosen, revision);
      const tookUs = (performance.now() - beginMs) * 1000;
      this.#busy.push([chosen, revision]);
      const [agent, done] = (this.#busy.length > inFlight && this.#busy.shift()) || [];
      if (agent !== undefined && done !== undefined) placement.released(agent, done, false);
      return tookUs;
    });
  }
}

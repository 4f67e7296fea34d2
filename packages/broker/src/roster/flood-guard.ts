import type { AgentId } from "@longshore/protocol";

/** Messages of one agent that are taken within one second; a healthy one sends at most 40 heartbeats. */
const maxPerSecond = 100;

/** Keeps one agent's flood of messages from taking the broker's time: counts by the second, and refuses the rest of it. */
export class FloodGuard {
  readonly #seconds = new Map<AgentId, { second: number; count: number }>();

  /** True when one more may be taken now. */
  admit(agentId: AgentId, nowMs: number): boolean {
    const second = Math.floor(nowMs / 1000);
    const counted = this.#seconds.get(agentId);
    if (counted === undefined || counted.second !== second) {
      this.#seconds.set(agentId, { second, count: 1 });
      return true;
    }
    counted.count += 1;
    return counted.count <= maxPerSecond;
  }

  forget(agentId: AgentId): void {
    this.#seconds.delete(agentId);
  }
}

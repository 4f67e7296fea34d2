import { setTimeout as delay } from "node:timers/promises";
import type { AgentAddress, AgentId } from "@longshore/protocol";
import { SimulatedAgent } from "./agent.ts";
import type { Line, Switchboard } from "./switchboard.ts";

/** How often agents are started that are to start over some time. */
const stepMs = 20;

/** Simulated agents by the thousand, all on one switchboard. */
export class SimulatedFleet implements AsyncDisposable {
  readonly #switchboard: Switchboard;
  readonly #agents = new Map<AgentId, { readonly agent: SimulatedAgent; readonly line: Line }>();

  constructor(switchboard: Switchboard) {
    this.#switchboard = switchboard;
  }

  /** Starts a process of each, evenly over that time, so that their heartbeats are spread as widely. */
  async start(addresses: readonly AgentAddress[], overMs = 0): Promise<void> {
    const steps = Math.max(1, Math.floor(overMs / stepMs));
    for (let step = 0; step < steps; step += 1) {
      if (step > 0) await delay(stepMs);
      const [from, to] = [step, step + 1].map((at) => Math.floor((addresses.length * at) / steps));
      for (const address of addresses.slice(from, to)) await this.#start(address);
    }
  }

  /** Their machines lose power, all at once: they fall silent, and the bus does not know. */
  kill(addresses: readonly AgentAddress[]): void {
    for (const { agentId } of addresses) {
      const killed = this.#agents.get(agentId);
      killed?.line.cut();
      killed?.agent.die();
      this.#agents.delete(agentId);
    }
  }

  /** Every one of them stops in order. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#agents.values()].map(({ agent }) => agent.close()));
    this.#agents.clear();
  }

  async #start(address: AgentAddress): Promise<void> {
    const line = this.#switchboard.line(address);
    const agent = new SimulatedAgent(address, line.bus);
    this.#agents.set(address.agentId, { agent, line });
    await agent.start();
  }
}

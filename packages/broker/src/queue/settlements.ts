import { type AgentAddress, type AgentId, type InvocationId, maxAttemptsAsked } from "@longshore/protocol";
import type { Logger } from "pino";
import type { Asker } from "../roster/ask-agent.ts";

interface Settled {
  readonly invocationId: InvocationId;
  readonly attempt: number;
}

interface ToTell {
  readonly agent: AgentAddress;
  attempts: Settled[];
}

/** An agent that does not answer by then tells its outcomes again. */
const answerWithinMs = 5_000;

/** Tells agents that what became of their attempts is stored: what gathers while one message to an agent is under way goes as the next. */
export class Settlements {
  readonly #asker: Asker;
  readonly #log: Logger;
  readonly #agents = new Map<AgentId, ToTell>();

  constructor(asker: Asker, log: Logger) {
    this.#asker = asker;
    this.#log = log;
  }

  settle(agent: AgentAddress, attempt: Settled): void {
    const known = this.#agents.get(agent.agentId);
    if (known !== undefined) return void known.attempts.push(attempt);
    const toTell: ToTell = { agent, attempts: [attempt] };
    this.#agents.set(agent.agentId, toTell);
    void this.#tell(toTell);
  }

  async #tell(toTell: ToTell): Promise<void> {
    const { agent } = toTell;
    await Promise.resolve(); // What is settled in the same turn goes along.
    while (toTell.attempts.length > 0) {
      const attempts = toTell.attempts.splice(0, maxAttemptsAsked);
      try {
        await this.#asker.ask(agent, { ask: "settle", attempts }, { silenceMs: answerWithinMs });
      } catch (err) {
        this.#log.debug({ err, agentId: agent.agentId }, "outcomes not settled; their agent will tell them again");
        toTell.attempts = [];
      }
    }
    this.#agents.delete(agent.agentId);
  }
}

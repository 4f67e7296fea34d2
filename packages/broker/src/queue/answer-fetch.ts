import { type AgentAddress, type InvocationId, LongshoreError, type TenantId } from "@longshore/protocol";
import type { BodyOwner, BodyStore, StoredBody } from "../bus/body-store.ts";
import { recordLifeMs } from "../bus/queue-store.ts";
import type { Asker } from "../roster/ask-agent.ts";

export interface AnswerFetchParts {
  readonly asker: Asker;
  readonly bodies: Pick<BodyStore, "write">;
}

/** Whose answer it is, and how long. */
export interface FetchedAnswer {
  readonly tenantId: TenantId;
  readonly invocationId: InvocationId;
  readonly attempt: number;
  readonly byteLength: number;
}

/** An agent that sends nothing for that long is not there: it will tell its outcome again. */
const silenceMs = 30_000;
/** A record is stored a little later than its answer. */
const graceMs = 3_600_000;

export const answerOwner = ({ tenantId, invocationId }: Pick<FetchedAnswer, "tenantId" | "invocationId">): BodyOwner => ({ tenantId, invocationId, kind: "answer" });

/**
 * Takes a long answer from the agent that has it into the store, as it comes. Undefined: the agent has it no more, or not whole. Throws
 * `agent_lost`, `bus_down`, `store_full`: nothing of it stays, and the agent will tell again.
 */
export async function fetchAnswer({ asker, bodies }: AnswerFetchParts, from: AgentAddress, { attempt, byteLength, ...invocation }: FetchedAnswer): Promise<StoredBody | undefined> {
  const writing = bodies.write(answerOwner(invocation), recordLifeMs + graceMs);
  try {
    await asker.ask(from, { ask: "answer", invocationId: invocation.invocationId, attempt }, { silenceMs, onBytes: (bytes) => writing.write(bytes) });
    const stored = await writing.end();
    if (stored.byteLength === byteLength) return stored;
    await writing.abandon();
    return undefined;
  } catch (error) {
    await writing.abandon();
    if (error instanceof LongshoreError && error.reason === "body_lost") return undefined;
    throw error;
  }
}

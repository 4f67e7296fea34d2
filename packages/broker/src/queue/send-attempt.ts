import { type AgentAddress, errorShape, type Frame, type InvocationResult, LongshoreError, type RunOrder } from "@longshore/protocol";
import type { Bus, Exchange } from "../bus/bus.ts";
import type { Clock } from "../clock.ts";
import { readAnswerHead } from "../invocation/read-answer.ts";
import { PayloadSending } from "./payload-sending.ts";

/** What became of sending an attempt at an accepted invocation; what becomes of the attempt comes by another way. */
export type Sent =
  /** The agent has its start on disk. */
  | { readonly what: "begun" }
  /** It ended before it began: it was cancelled. */
  | { readonly what: "ended"; readonly result: InvocationResult }
  /** It certainly has not begun, and never will there. */
  | { readonly what: "not_begun"; readonly error: LongshoreError }
  /** It may have begun, or begin: the agent will tell, or be asked. */
  | { readonly what: "unknown" };

export interface SentAttempt {
  readonly outcome: Promise<Sent>;
  /** Asks the agent to end it; whatever has become of it still comes. */
  cancel(): void;
}

export interface SendingParts {
  readonly bus: Pick<Bus, "open">;
  readonly clock: Pick<Clock, "after">;
}

const nothing = new Uint8Array(0);

/**
 * Sends an attempt at an accepted invocation, which an agent answers once. A payload that comes in parts follows its order, as fast as the
 * agent takes it; an agent begins nothing before it has the end. Throws `bus_down`: nothing was sent.
 */
export function sendAttempt({ bus, clock }: SendingParts, agent: AgentAddress, order: RunOrder, payload: Uint8Array | AsyncIterable<Uint8Array>): SentAttempt {
  const { promise, resolve } = Promise.withResolvers<Sent>();
  const settle = (sent: Sent) => {
    sending?.stop();
    exchange.close();
    resolve(sent);
  };
  const failed = (error: LongshoreError) => {
    exchange.send({ kind: "cancel", head: { reason: "abandoned" } });
    settle({ what: "not_begun", error: error.at("admission") });
  };
  const isWhole = payload instanceof Uint8Array;
  const exchange: Exchange = bus.open(agent, "run", order, isWhole ? payload : nothing, {
    frame: (frame) => (frame.kind === "credit" ? sending?.grant(frame.bytes) : settle(read(frame, agent))),
    failed: (why) => settle(why === "no_responders" ? { what: "not_begun", error: notThere(agent) } : { what: "unknown" }),
  });
  const sending = isWhole ? undefined : new PayloadSending({ parts: payload, send: (frame) => exchange.send(frame), failed, clock });
  sending?.start();
  return { outcome: promise, cancel: () => exchange.send({ kind: "cancel", head: { reason: "requested" } }) };
}

function read(frame: Frame, { agentId }: AgentAddress): Sent {
  try {
    if (frame.kind === "error") return readRefusal(LongshoreError.fromShape(errorShape.parse(frame.head)));
    if (frame.kind !== "answer") return { what: "unknown" };
    if ((frame.head as { begun?: unknown } | null)?.begun === true) return { what: "begun" };
    const { result } = readAnswerHead(frame.head);
    if (result?.outcome === "cancelled") return { what: "ended", result };
    // An agent that does not know of accepted work has run it like any other: it would have to be asked, and cannot say.
    throw new Error(`Agent "${agentId}" answered an accepted invocation as if it were none`);
  } catch {
    return { what: "unknown" };
  }
}

/** Of a refusal without a phase nobody knows how far it came; and what is there already, by an order that came twice, may begin. */
function readRefusal(error: LongshoreError): Sent {
  return error.reason === "invocation_exists" || error.phase === undefined || error.phase === "execution" ? { what: "unknown" } : { what: "not_begun", error };
}

function notThere({ agentId }: AgentAddress): LongshoreError {
  return new LongshoreError("agent_lost", `Cannot reach agent "${agentId}": it is not connected`, { phase: "placement", retryAfterMs: 1_000 });
}

import { LongshoreError, type Revision } from "@longshore/protocol";
import type { Logger } from "pino";
import type { BodyStore } from "../bus/body-store.ts";
import type { Bus } from "../bus/bus.ts";
import type { QueuedInvocation, QueueEntry, QueueStore } from "../bus/queue-store.ts";
import type { Clock } from "../clock.ts";
import { passFailpoint } from "../failpoint.ts";
import type { Placement } from "../placement/placement.ts";
import type { CredentialBook } from "../registry/credentials.ts";
import type { AgentEntry } from "../roster/agent-entry.ts";
import type { AttemptEnds } from "./attempt-ends.ts";
import type { Claims } from "./claims.ts";
import { removeGhost } from "./ghosts.ts";
import { idleTermsOf } from "./idle-terms.ts";
import { unheardMs } from "./limits.ts";
import { payloadToSend } from "./payload.ts";
import { runOrderOf, type Sending } from "./run-order.ts";
import { type Sent, sendAttempt } from "./send-attempt.ts";
import { sentTo, type StoredInvocation } from "./stored-invocation.ts";

export interface AttemptSenderOptions {
  readonly queue: Pick<QueueStore, "again" | "find" | "remove">;
  readonly bodies: Pick<BodyStore, "read">;
  readonly bus: Pick<Bus, "open">;
  readonly claims: Claims;
  readonly ends: Pick<AttemptEnds, "finish" | "refused">;
  readonly placement: Pick<Placement, "wasFull">;
  readonly credentials: CredentialBook;
  /** An agent has an attempt of its own word: it need not be asked. */
  readonly begun: (claimed: QueueEntry) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** An attempt, and the agent that was chosen for it. */
interface Chosen {
  readonly stored: StoredInvocation;
  readonly revision: Revision;
  readonly agent: AgentEntry;
}

/** Claims attempts for agents, and sends them. The invariants are {@link QueueRunner}'s. */
export class AttemptSender {
  readonly #options: AttemptSenderOptions;

  constructor(options: AttemptSenderOptions) {
    this.#options = options;
  }

  /** Resolves once it is claimed, and on its way, or was another's. Throws `bus_down`. */
  async send(queued: QueuedInvocation, { stored, revision, agent }: Chosen): Promise<void> {
    const { queue, claims, clock, log } = this.#options;
    const { tenantId, invocationId, functionName, attempt } = queued;
    const limitMs = Math.min(stored.timeoutMs ?? Number.POSITIVE_INFINITY, revision.spec.timeoutMs);
    const head = sentTo(stored, agent.address, revision, clock.date());
    const { startTimeoutMs, stopGraceMs } = revision.spec;
    const terms = { ...idleTermsOf(queued), sentUntilMs: clock.date().getTime() + startTimeoutMs + limitMs + stopGraceMs + unheardMs, sentTo: agent.address };
    const incarnation = agent.incarnations.current ?? "";
    claims.take(tenantId, invocationId, agent, revision);
    const sequence = await queue.again(queued, terms, head); // R1
    if (sequence === undefined) {
      claims.release(tenantId, invocationId, false);
      return removeGhost(queued, queue);
    }
    const claimed = { ...queued, ...terms, sequence, head };
    claims.stored(claimed);
    passFailpoint("after_claim");
    // An agent may take as long to begin as its program: nothing else waits for that.
    this.#deliver(claimed, { stored: head, revision, agent }, { remainingMs: limitMs, incarnation }).catch((err: unknown) => {
      log.warn({ err, invocationId, functionName, attempt }, "claimed invocation left to its agent");
    });
  }

  async #deliver(claimed: QueuedInvocation, chosen: Chosen, sending: Sending): Promise<void> {
    const { claims, ends, placement, begun } = this.#options;
    const { stored, agent, revision } = chosen;
    const sent = await this.#order(claimed, chosen, sending);
    if (sent.what === "begun") return begun(claimed);
    if (sent.what === "ended") return ends.finish(claimed, stored, sent.result);
    if (sent.what !== "not_begun") return;
    claims.release(claimed.tenantId, claimed.invocationId, false);
    if (sent.error.reason === "agent_busy") placement.wasFull(agent, revision);
    await ends.refused(claimed, stored, sent.error);
  }

  /** Sends the order; once more with the revision, where the agent does not know it. */
  async #order(queued: QueuedInvocation, { stored, revision, agent }: Chosen, sending: Sending): Promise<Sent> {
    const { bodies, credentials } = this.#options;
    const send = (isKnown: boolean) => {
      const order = runOrderOf(queued, stored, revision, { ...sending, ...(!isKnown && { introduced: { credential: credentials.find(revision.tenantId, revision.image.reference) } }) });
      return sendAttempt(this.#options, agent.address, order, payloadToSend(bodies, queued, stored.payload)).outcome;
    };
    const isKnown = agent.shares.get(revision.digest)?.capacity?.imagePresent === true;
    try {
      const sent = await send(isKnown);
      return isKnown && sent.what === "not_begun" && sent.error.reason === "revision_unknown" ? await send(false) : sent;
    } catch (error) {
      return { what: "not_begun", error: LongshoreError.from(error, `Cannot send to agent "${agent.address.agentId}"`) }; // Nothing was sent.
    }
  }
}

import type { AgentAddress, Frame, InvocationId, TenantId } from "@longshore/protocol";
import type { QueuedInvocation, QueueEntry, QueueStore } from "../bus/queue-store.ts";
import { passFailpoint } from "../failpoint.ts";
import type { AttemptEnds } from "./attempt-ends.ts";
import type { Claims } from "./claims.ts";
import { cancelled } from "./own-results.ts";
import type { QueueIndex } from "./queue-index.ts";
import { type AttemptOutcome, readOutcome } from "./read-outcome.ts";
import { readStored } from "./stored-invocation.ts";

export interface AgentReportsOptions {
  readonly queue: Pick<QueueStore, "find" | "read">;
  readonly index: Pick<QueueIndex, "gone">;
  readonly claims: Claims;
  readonly ends: Pick<AttemptEnds, "answered" | "disowned" | "finish">;
  /** Tells an agent that what became of an attempt is stored. */
  readonly settle: (agent: AgentAddress, attempt: { readonly invocationId: InvocationId; readonly attempt: number }) => void;
}

/** Takes what agents say of the attempts that they were sent, to whichever broker. The invariants are {@link QueueRunner}'s. */
export class AgentReports {
  readonly #options: AgentReportsOptions;
  /** Attempts whose outcome is being stored here. */
  readonly #taking = new Set<string>();

  constructor(options: AgentReportsOptions) {
    this.#options = options;
  }

  /** An agent says what became of an attempt. Throws `bad_frame`; `bus_down`: it will say so again. */
  async outcome(from: AgentAddress, frame: Frame): Promise<void> {
    const outcome = readOutcome(frame);
    const name = `${outcome.orphan.tenantId} ${outcome.orphan.invocationId} ${outcome.orphan.attempt}`;
    if (this.#taking.has(name)) return; // It was told again meanwhile: each writing more makes all of them wait longer.
    this.#taking.add(name);
    await this.#take(from, outcome).finally(() => this.#taking.delete(name));
  }

  async #take(from: AgentAddress, outcome: AttemptOutcome): Promise<void> {
    const { claims, ends, settle } = this.#options;
    const { invocationId, attempt } = outcome.orphan;
    const tenantId = outcome.orphan.tenantId as TenantId;
    const claimed = claims.find(tenantId, invocationId);
    // Where its partition is another broker's by now, this one has not heard what came after its claim.
    let found = claimed?.attempt === attempt ? claimed : await this.#findQueued(tenantId, invocationId);
    if (found !== undefined) claims.release(tenantId, invocationId, outcome.head.start !== "warm");
    // R3: somebody may write to the entry in between, to cancel it, so that it is read and taken once more.
    while (found?.attempt === attempt && !(await ends.answered(found, outcome, from))) found = await this.#findQueued(tenantId, invocationId);
    passFailpoint("after_record");
    settle(from, { invocationId, attempt }); // R3
  }

  /** The agent that it was sent to has it not, and will not begin it. `joinedAt`: of the agent that says so, which may have its name from another. */
  async disowned(entry: QueueEntry, joinedAt?: string): Promise<void> {
    const { queue, index, ends } = this.#options;
    const queued = await queue.read(entry);
    if (queued === undefined) return index.gone(entry); // It was ended, or queued again, and that was not heard, or is by now.
    const stored = readStored(queued.head, queued.invocationId);
    if (Date.parse(joinedAt ?? "") > Date.parse(stored.sent?.sentAt ?? "")) return; // R2: it is not the one that was sent it.
    if (queued.isCancelled === true) return ends.finish(queued, stored, cancelled); // R4
    await ends.disowned(queued, stored);
  }

  async #findQueued(tenantId: TenantId, invocationId: InvocationId): Promise<QueuedInvocation | undefined> {
    const found = await this.#options.queue.find(tenantId, invocationId);
    if (found?.state !== "queued") return undefined;
    return found.isOverdue === true ? { ...found, isCancelled: true } : found; // Of one whose time is long over nothing is repeated.
  }
}

import { type FunctionName, LongshoreError } from "@longshore/protocol";
import type { BodyStore, BodyWriting } from "../bus/body-store.ts";
import type { FoundInvocation, QueueStore, QueueTerms } from "../bus/queue-store.ts";
import type { Clock } from "../clock.ts";
import { passFailpoint } from "../failpoint.ts";
import type { InvocationRequest } from "../invocation/request.ts";
import { functionNotFound, type Registry } from "../registry/registry.ts";
import type { Tracing } from "../traces/tracing.ts";
import { defaultMaxAgeMs } from "./limits.ts";
import { inlineOf, isLong, type Payload, payloadOwner, storeParts, writePayload } from "./payload.ts";
import { type QueueView, viewOf } from "./queue-view.ts";
import { digestOf, pendingView, storedOf } from "./stored-invocation.ts";

export interface SubmissionsOptions {
  readonly queue: Pick<QueueStore, "accept" | "find">;
  readonly bodies: Pick<BodyStore, "write" | "remove">;
  readonly registry: Pick<Registry, "find">;
  /** Why nothing may be accepted now, if so. */
  readonly refusal: () => LongshoreError | undefined;
  readonly clock: Clock;
  /** Absent: traces are off. */
  readonly tracing?: Pick<Tracing, "enter"> | undefined;
}

/** An invocation to be accepted, all but its payload: everything checked. */
export interface SubmissionTerms extends Pick<InvocationRequest, "tenantId" | "functionName" | "invocationId" | "where" | "timeoutMs" | "request" | "viaUrl"> {
  /** Epoch milliseconds; absent: it may begin at once. */
  readonly notBeforeMs?: number | undefined;
  /** How long it may take, from then on, until it is begun the last time; absent: six hours. */
  readonly maxAgeMs?: number | undefined;
  /** Its caller waits: one attempt at most may begin. */
  readonly once?: boolean;
  /** The dead letter that it is submitted again from. */
  readonly redriveOf?: string;
}

/** An invocation to be accepted, with its payload: whole, or stored under its id. */
export interface Submission extends SubmissionTerms {
  readonly body: Payload;
}

/** What became of a submission; not new: the same was accepted before. */
export interface Accepted {
  readonly isNew: boolean;
  readonly view: QueueView;
}

/**
 * Takes invocations into the queue.
 *
 * Invariants: S1 a payload that is stored on its own is on disk, whole, before the entry that names it. S2 one that no entry came to name is
 * taken away; where nobody can tell whether one did, it stays, and is found among those that nobody names.
 */
export class Submissions {
  readonly #options: SubmissionsOptions;
  #isClosed = false;

  constructor(options: SubmissionsOptions) {
    this.#options = options;
  }

  /** Takes nothing more. */
  close(): void {
    this.#isClosed = true;
  }

  /** Begins to store a payload that is too long to stand with its invocation. Throws what {@link accept} throws of what is known by now. */
  receive(terms: SubmissionTerms): BodyWriting {
    this.#check(terms);
    const { clock, bodies } = this.#options;
    const acceptedAt = clock.date();
    return writePayload(bodies, terms, termsOf(terms, acceptedAt).expiresAtMs, acceptedAt.getTime());
  }

  /**
   * Resolves once it is on disk. The same submission again (id, function, method, path and body) is taken for the first, and resolves too. Throws
   * `function_not_found`, `invocation_exists`: the id was used for another one; `bus_down`: nobody can tell whether it was accepted, so it may be
   * submitted again under the same id; `store_full`. A payload that was stored for it is taken away again where it comes to nothing.
   */
  async accept(submission: Submission): Promise<Accepted> {
    const { body } = submission;
    if (isLong(body)) return this.accept({ ...submission, body: await storeParts(this.receive(submission), [body]) }); // S1
    try {
      this.#check(submission);
      const accepted = await this.#accept(submission);
      if (!accepted.isNew) await this.#removeUnnamed(submission); // S2
      return accepted;
    } catch (error) {
      if (!(error instanceof LongshoreError) || error.reason !== "bus_down") await this.#removeUnnamed(submission); // S2
      throw error;
    }
  }

  async #accept(submission: Submission): Promise<Accepted> {
    const { tenantId, functionName, invocationId, body } = submission;
    const acceptedAt = this.#options.clock.date();
    const terms = termsOf(submission, acceptedAt);
    const stored = storedOf({ ...submission, trace: this.#options.tracing?.enter(submission.request.headers) }, acceptedAt);
    const key = { tenantId, functionName, invocationId };
    if (!(await this.#options.queue.accept(key, terms, stored, inlineOf(body)))) return this.#acceptedBefore(submission);
    passFailpoint("after_puback");
    return { isNew: true, view: pendingView({ ...key, ...terms }, stored) };
  }

  #check({ tenantId, functionName }: SubmissionTerms): void {
    if (this.#isClosed) throw new LongshoreError("broker_draining", `Cannot accept an invocation of "${functionName}": this broker is shutting down`, { phase: "admission", retryAfterMs: 1_000 });
    if (this.#options.registry.find(tenantId, functionName) === undefined) throw functionNotFound(functionName);
    const refusal = this.#options.refusal();
    if (refusal !== undefined) throw refusal;
  }

  async #removeUnnamed({ body, ...terms }: Submission): Promise<void> {
    if (body instanceof Uint8Array) return;
    await this.#options.bodies.remove(payloadOwner(terms), body.writing).catch(() => undefined); // It is found later.
  }

  /** What has that id already: the same, or another one. */
  async #acceptedBefore(submission: Submission): Promise<Accepted> {
    const { tenantId, functionName, invocationId } = submission;
    const found = await this.#options.queue.find(tenantId, invocationId);
    if (found !== undefined && isSame(found, functionName, digestOf(submission))) return { isNew: false, view: viewOf(found) };
    throw new LongshoreError("invocation_exists", `Cannot accept an invocation of "${functionName}": the id ${invocationId} was used before, for another request`, { phase: "admission", field: "invocationId" });
  }
}

function termsOf({ notBeforeMs = 0, maxAgeMs = defaultMaxAgeMs }: SubmissionTerms, acceptedAt: Date): QueueTerms {
  const beginsMs = Math.max(notBeforeMs, acceptedAt.getTime());
  return { attempt: 1, notBeforeMs: beginsMs, expiresAtMs: beginsMs + maxAgeMs, sentUntilMs: 0 };
}

function isSame(found: FoundInvocation, functionName: FunctionName, digest: string): boolean {
  return found.functionName === functionName && (found.head as { digest?: unknown } | null)?.digest === digest;
}

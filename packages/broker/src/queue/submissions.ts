import { type FunctionName, LongshoreError } from "@longshore/protocol";
import type { FoundInvocation, QueueStore } from "../bus/queue-store.ts";
import type { Clock } from "../clock.ts";
import { passFailpoint } from "../failpoint.ts";
import type { InvocationRequest } from "../invocation/request.ts";
import { functionNotFound, type Registry } from "../registry/registry.ts";
import { defaultMaxAgeMs, maxQueuedBytes } from "./limits.ts";
import { type QueueView, viewOf } from "./queue-view.ts";
import { digestOf, pendingView, storedOf } from "./stored-invocation.ts";

export interface SubmissionsOptions {
  readonly queue: Pick<QueueStore, "accept" | "find">;
  readonly registry: Pick<Registry, "find">;
  /** Why nothing may be accepted now, if so. */
  readonly refusal: () => LongshoreError | undefined;
  readonly clock: Clock;
}

/** An invocation to be accepted: everything checked, its body whole. */
export interface Submission extends Pick<InvocationRequest, "tenantId" | "functionName" | "invocationId" | "where" | "timeoutMs" | "request" | "viaUrl" | "body"> {
  /** Epoch milliseconds; absent: it may begin at once. */
  readonly notBeforeMs?: number | undefined;
  /** How long it may take, from then on, until it is begun the last time; absent: six hours. */
  readonly maxAgeMs?: number | undefined;
  /** Its caller waits: one attempt at most may begin. */
  readonly once?: boolean;
  /** The dead letter that it is submitted again from. */
  readonly redriveOf?: string;
}

/** What became of a submission; not new: the same was accepted before. */
export interface Accepted {
  readonly isNew: boolean;
  readonly view: QueueView;
}

/** Takes invocations into the queue. */
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

  /**
   * Resolves once it is on disk. The same submission again (id, function, method, path and body) is taken for the first, and resolves too. Throws
   * `function_not_found`, `payload_too_large`, `invocation_exists`: the id was used for another one; `bus_down`: nobody can tell whether
   * it was accepted, so it may be submitted again under the same id; `store_full`.
   */
  async accept(submission: Submission): Promise<Accepted> {
    const { tenantId, functionName, invocationId, body } = submission;
    this.#check(submission);
    const acceptedAt = this.#options.clock.date();
    const notBeforeMs = Math.max(submission.notBeforeMs ?? 0, acceptedAt.getTime());
    const terms = { attempt: 1, notBeforeMs, expiresAtMs: notBeforeMs + (submission.maxAgeMs ?? defaultMaxAgeMs), sentUntilMs: 0 };
    const stored = storedOf(submission, acceptedAt);
    const key = { tenantId, functionName, invocationId };
    if (!(await this.#options.queue.accept(key, terms, stored, body))) return this.#acceptedBefore(submission);
    passFailpoint("after_puback");
    return { isNew: true, view: pendingView({ ...key, ...terms }, stored) };
  }

  #check({ tenantId, functionName, body }: Submission): void {
    const action = `Cannot accept an invocation of "${functionName}"`;
    if (this.#isClosed) throw new LongshoreError("broker_draining", `${action}: this broker is shutting down`, { phase: "admission", retryAfterMs: 1_000 });
    if (this.#options.registry.find(tenantId, functionName) === undefined) throw functionNotFound(functionName);
    const refusal = this.#options.refusal();
    if (refusal !== undefined) throw refusal;
    if (body.length > maxQueuedBytes) throw new LongshoreError("payload_too_large", `${action}: its body has ${body.length} bytes, at most ${maxQueuedBytes} can be queued`, { phase: "admission", field: "body" });
  }

  /** What has that id already: the same, or another one. */
  async #acceptedBefore(submission: Submission): Promise<Accepted> {
    const { tenantId, functionName, invocationId } = submission;
    const found = await this.#options.queue.find(tenantId, invocationId);
    if (found !== undefined && isSame(found, functionName, digestOf(submission))) return { isNew: false, view: viewOf(found) };
    throw new LongshoreError("invocation_exists", `Cannot accept an invocation of "${functionName}": the id ${invocationId} was used before, for another request`, { phase: "admission", field: "invocationId" });
  }
}

function isSame(found: FoundInvocation, functionName: FunctionName, digest: string): boolean {
  return found.functionName === functionName && (found.head as { digest?: unknown } | null)?.digest === digest;
}

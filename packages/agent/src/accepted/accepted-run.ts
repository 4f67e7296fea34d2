import { type AnswerEnd, type AnswerHead, type Frame, LongshoreError, type Orphan, type Revision, type RunOrder } from "@longshore/protocol";
import type { AgentExchange, AgentExchangeHandlers } from "../bus/bus.ts";
import { passFailpoint } from "../failpoint.ts";
import type { LongAnswers } from "../journal/answer-files.ts";
import type { BegunAttempt } from "../journal/start-log.ts";
import type { KeptResult } from "../journal/outbox.ts";
import type { RunHandle, RunReply } from "../run/sink.ts";
import type { StartRun } from "../session/run-exchange.ts";
import { type Kept, KeptAnswer } from "./kept-answer.ts";
import { PayloadFeed } from "./payload-feed.ts";
import type { PayloadFile } from "./payload-files.ts";

const nothing = new Uint8Array(0);

export interface AcceptedRunParts {
  readonly startRun: StartRun;
  readonly findRevision: (digest: string) => Revision | undefined;
  /** Writes down that it begins; resolves once that is on disk. */
  readonly begin: (begun: BegunAttempt) => Promise<void>;
  /** It was not begun, and will not be. */
  readonly dropped: () => void;
  /** Where a long answer is kept, and what room there is for it. */
  readonly answers: Pick<LongAnswers, "create" | "remove"> & { readonly roomBytes: () => number };
  /** Writes down what became of it, and sees to it that a broker hears. */
  readonly finish: (result: KeptResult) => void;
}

/**
 * One attempt at an accepted invocation at this agent. Its exchange ends when it has begun: what becomes of it then goes to whichever
 * broker is there.
 *
 * ```
 *  placed ──▶ beginning ──▶ begun ──▶ finished
 *     └── refused, cancelled (nothing begun: its broker is told, nobody else need be)
 * ```
 * Invariants: A1 the exchange is answered once: `begun`, a result without a beginning, or an error. A2 that it has begun is on disk before
 * the image hears of it, and before its broker does. A3 what has begun is finished once.
 */
export class AcceptedRun implements RunReply, AgentExchangeHandlers {
  readonly #exchange: AgentExchange;
  readonly #parts: AcceptedRunParts;
  readonly #order: RunOrder;
  readonly #payloadBytes: number;
  /** Of a payload that waits on the disk. */
  readonly #feed: PayloadFeed | undefined;
  #hasFeedFailed = false;
  readonly #run: RunHandle;
  /** Set once it is being written down that it begins; true when that is on disk. */
  #beginning: Promise<boolean> | undefined;
  #hasBegun = false;
  #head: AnswerHead | undefined;
  readonly #answer: KeptAnswer;

  constructor(order: RunOrder, payload: Uint8Array | PayloadFile, exchange: AgentExchange, parts: AcceptedRunParts) {
    const isWhole = payload instanceof Uint8Array;
    this.#order = order;
    this.#payloadBytes = isWhole ? payload.length : (order.bodyBytes ?? 0);
    this.#feed = isWhole ? undefined : new PayloadFeed(payload);
    this.#exchange = exchange;
    this.#parts = parts;
    const { create, remove, roomBytes } = parts.answers;
    this.#answer = new KeptAnswer({ create: () => create(order), remove: () => remove(order), roomBytes, drained: () => this.#run.resume() });
    this.#run = parts.startRun({ order, body: isWhole ? payload : nothing, willBegin: () => this.#begin() }, this);
  }

  /** That it begins is on disk: a later process of this agent knows of it too. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  frame(frame: Frame): void {
    if (frame.kind === "cancel") this.cancel();
  }

  /** Ends it; what became of it is told like any other end. */
  cancel(): void {
    this.#run.cancel("requested");
  }

  /** It goes on: another broker will want to know. */
  brokerGone(): void {
    return;
  }

  complete(head: AnswerHead, body: Uint8Array): void {
    this.#answer.add(body);
    this.#end(head);
  }

  head(head: AnswerHead): void {
    this.#head = head;
  }

  data(bytes: Uint8Array): boolean {
    return this.#answer.add(bytes);
  }

  end(end: Omit<AnswerEnd, "sequenceCount">): void {
    this.#end({ headers: [], ...this.#head, ...end, complete: true });
  }

  refuse(error: LongshoreError): void {
    const tell = () => this.#drop({ kind: "error", head: error.toShape() });
    if (this.#beginning === undefined) return tell(); // A1
    const outcome = error.phase === "execution" ? "lost" : "rejected";
    const head: AnswerHead = { complete: true, headers: [], result: { outcome, message: error.message, error: error.toShape() } };
    const dropped = this.#answer.drop(); // What had come of an answer is none.
    void Promise.all([this.#beginning, dropped]).then(([isWritten]) => (isWritten ? this.#finish(head, { body: nothing }) : tell()));
  }

  requestConsumed(byteLength: number): void {
    this.#feed?.consumed(byteLength);
  }

  async #begin(): Promise<void> {
    const { invocationId, attempt } = this.#order;
    const written = this.#parts.begin({ invocationId, attempt, head: this.#orphan() });
    this.#beginning ??= written.then(() => true, () => false);
    await written; // A2
    this.#hasBegun = true;
    passFailpoint("after_start_record");
    this.#exchange.send({ kind: "answer", head: { complete: true, headers: [], begun: true }, body: nothing });
    this.#feed?.start(this.#run, () => this.#feedFailed());
  }

  /** The image has a part of its payload at most: whatever comes of it now is no answer. */
  #feedFailed(): void {
    this.#hasFeedFailed = true;
    this.#run.cancel("requested");
  }

  #end(head: AnswerHead): void {
    const tell = () => this.#drop({ kind: "answer", head, body: nothing });
    if (this.#beginning === undefined) return tell(); // A1
    if (this.#hasFeedFailed) return this.refuse(payloadUnread());
    void Promise.all([this.#beginning, this.#answer.whole()]).then(([isWritten, kept]) => (isWritten ? this.#finish(head, kept) : tell()));
  }

  #drop(word: Frame): void {
    this.#feed?.close();
    this.#exchange.send(word);
    this.#parts.dropped();
  }

  #finish(head: AnswerHead, kept: Kept): void {
    this.#feed?.close();
    const { invocationId, attempt } = this.#order;
    const bodyFollows = kept === "in its file";
    const whole = { ...head, orphan: this.#orphan(), bodyBytes: this.#answer.byteLength, bodyKept: kept !== "nothing", ...(bodyFollows && { bodyFollows }) };
    passFailpoint("after_container_exit");
    this.#parts.finish({ invocationId, attempt, head: whole, body: typeof kept === "object" ? kept.body : nothing }); // A3
  }

  #orphan(): Orphan {
    const { invocationId, attempt, accepted, revision = this.#parts.findRevision(this.#order.revisionDigest) } = this.#order;
    const { tenantId = "", functionName = "", revisionId = "" } = revision ?? {};
    return { invocationId, attempt, tenantId, functionName, revisionId, acceptedAt: accepted?.acceptedAt ?? "", payloadBytes: this.#payloadBytes };
  }
}

/** What its image did with the part that it had, nobody can say. */
function payloadUnread(): LongshoreError {
  return new LongshoreError("body_lost", "Cannot go on: the payload on this host's disk could not be read to its end", { phase: "execution" });
}

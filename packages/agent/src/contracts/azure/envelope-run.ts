import { type AnswerHead, LongshoreError, type Revision } from "@longshore/protocol";
import type { AnswerSink, ContractCall, ContractEnding, ContractRun } from "../contract.ts";
import { envelopeOf } from "./envelope.ts";
import { forwardingSetting } from "./forwarding.ts";
import { type DescribedAnswer, type HandlerResult, readHandlerResult } from "./handler-result.ts";

/** The HTTP status of an invocation whose handler failed, where it said no other. */
const failedStatus = 502;

/** What a run asks of whoever talks to its handler. */
export interface Handler {
  readonly revision: Revision;
  /** The largest body of a call, and of the handler's answer. */
  readonly payloadMaxBytes: number;
  /** Now, in epoch milliseconds. */
  readonly nowMs: () => number;
  /** Sends an HTTP request. */
  readonly send: (call: ContractCall, answer: AnswerSink) => ContractRun;
}

/**
 * One invocation in an envelope: gathers the body, sends both, and turns the handler's JSON into an answer.
 *
 * Invariants: A1 `answer.end` is called once. A2 an answer that is not whole, or not what it must be, is never passed off as one.
 */
export class EnvelopeRun implements ContractRun {
  readonly #handler: Handler;
  readonly #call: ContractCall;
  readonly #answer: AnswerSink;
  readonly #parts: Uint8Array[];
  #byteLength: number;
  #isWhole: boolean;
  #hasBegun = false;
  #isOver = false;
  #exchange: ContractRun | undefined;
  #functionName = "";
  readonly #received: Uint8Array[] = [];
  #receivedBytes = 0;
  #head: Pick<AnswerHead, "status" | "headers"> = { headers: [] };

  constructor(handler: Handler, call: ContractCall, answer: AnswerSink) {
    this.#handler = handler;
    this.#call = call;
    this.#answer = answer;
    this.#parts = [call.body];
    this.#byteLength = call.body.length;
    this.#isWhole = !call.more;
  }

  /** Sends what is whole already; refuses what can never be sent. */
  begin(): void {
    this.#hasBegun = true;
    const { upgrade, bodyBytes } = this.#call;
    if (this.#isOver) return;
    if (upgrade) return this.#refuse(new LongshoreError("bad_header", `Cannot invoke "${this.#handler.revision.functionName}": its handler gets requests in envelopes and cannot switch protocols`, { phase: "admission", field: "Upgrade" }));
    if (Math.max(this.#byteLength, bodyBytes ?? 0) > this.#handler.payloadMaxBytes) return this.#refuse(this.#tooLarge());
    if (this.#isWhole) this.#send();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isOver) return true;
    this.#byteLength += bytes.length;
    this.#parts.push(bytes);
    if (this.#byteLength > this.#handler.payloadMaxBytes) this.#refuse(this.#tooLarge());
    return true;
  }

  endRequest(): void {
    this.#isWhole = true;
    if (this.#hasBegun && !this.#isOver) this.#send();
  }

  abort(): void {
    this.#isOver = true;
    this.#exchange?.abort();
  }

  /** The answer is made when all of it is there: nothing to hold back before. */
  pause(): void {}
  resume(): void {}

  #send(): void {
    const { revision, nowMs, send } = this.#handler;
    const { functionName, body } = envelopeOf(this.#call, Buffer.concat(this.#parts.splice(0)), revision, nowMs());
    this.#functionName = functionName;
    const headers: [string, string][] = [["Content-Type", "application/json; charset=utf-8"], ["X-Azure-Functions-InvocationId", this.#call.invocationId]];
    const request = { method: "POST", target: `/${functionName}`, headers };
    this.#exchange = send({ ...this.#call, request, body, more: false, bodyBytes: body.length }, this.#sink());
  }

  #sink(): AnswerSink {
    return {
      head: (head) => {
        this.#head = head;
      },
      data: (bytes) => this.#receive(bytes),
      end: (ending) => this.#finish(ending),
      requestDrained: () => undefined,
      log: (stream, bytes) => this.#answer.log(stream, bytes),
    };
  }

  #receive(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#receivedBytes += bytes.length;
    this.#received.push(bytes);
    if (this.#receivedBytes <= this.#handler.payloadMaxBytes) return;
    this.#received.length = 0;
    this.#exchange?.abort();
    this.#fail(`its answer is over ${this.#handler.payloadMaxBytes} bytes; payloadMaxBytes sets how many it may have`);
  }

  #finish(ending: ContractEnding): void {
    if (this.#isOver) return;
    if (ending.kind !== "finished") return this.#end(ending);
    const { status = failedStatus } = this.#head;
    if (status < 200 || status > 299) return this.#fail(`it answered ${status} to POST /${this.#functionName}${status === 404 ? "; azureFunction names the function as the image does" : ""}`);
    const result = this.#readResult();
    if (result === undefined) return;
    for (const line of result.logs) this.#log("stdout", line);
    for (const name of result.undelivered) this.#log("stderr", `longshore: output "${name}" was not delivered: no such binding here`);
    this.#answerWith(result.answer);
  }

  #readResult(): HandlerResult | undefined {
    try {
      return readHandlerResult(Buffer.concat(this.#received), this.#handler.revision.spec.azureTrigger === undefined);
    } catch (error) {
      this.#fail(`${(error as Error).message}; for a handler that takes HTTP requests as they are set ${forwardingSetting}=true`); // A2
      return undefined;
    }
  }

  #answerWith({ status, headers, body }: DescribedAnswer): void {
    this.#answer.head({ status, headers }, body.length);
    if (body.length > 0) this.#answer.data(body);
    const failed = status >= 500;
    this.#end({ kind: "finished", result: failed ? { outcome: "failed", status, message: `The function answered ${status}` } : { outcome: "succeeded", status }, reusable: true });
  }

  /** What the handler said instead of an answer is passed on, as evidence. */
  #fail(what: string): void {
    const body = Buffer.concat(this.#received);
    const type = this.#head.headers.filter(([name]) => name.toLowerCase() === "content-type");
    this.#answer.head({ status: failedStatus, headers: type }, body.length);
    if (body.length > 0) this.#answer.data(body);
    this.#end({ kind: "finished", result: { outcome: "failed", status: failedStatus, message: `The handler failed: ${what}` }, reusable: true });
  }

  #log(stream: "stdout" | "stderr", line: string): void {
    this.#answer.log(stream, Buffer.from(`${line}\n`));
  }

  #refuse(error: LongshoreError): void {
    this.#parts.length = 0;
    this.#end({ kind: "refused", error, reusable: true });
  }

  #tooLarge(): LongshoreError {
    const { revision, payloadMaxBytes } = this.#handler;
    return new LongshoreError("payload_too_large", `Cannot invoke "${revision.functionName}": its body may have ${payloadMaxBytes} bytes; payloadMaxBytes sets how many`, { phase: "admission", field: "body" });
  }

  #end(ending: ContractEnding): void {
    this.#isOver = true;
    this.#answer.end(ending); // A1
  }
}

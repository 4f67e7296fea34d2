import type { IncomingMessage } from "node:http";
import { LongshoreError, type Revision } from "@longshore/protocol";
import type { AnswerSink, ContractCall, ContractEnding, ContractRun } from "../contract.ts";
import type { InvokeEvent } from "./extensions.ts";
import { functionArn, invocationHeaders, traceHeader } from "./invocation-headers.ts";
import { PreludeReader, preludeType } from "./prelude.ts";
import { describeError, type Work } from "./runtime-session.ts";
import { answerOfResult, type UrlAnswer } from "./url-answer.ts";
import { eventOfRequest } from "./url-event.ts";
import { readBody } from "./replies.ts";

/** The HTTP status of an invocation whose function failed (design: a failed lambda function is 502). */
const failedStatus = 502;
const emptyEvent = Buffer.from("{}");

/** What a run asks of whoever delivers it. */
export interface LambdaCourier {
  readonly revision: Revision;
  /** The largest event and buffered result. */
  readonly payloadMaxBytes: number;
  /** Now, in epoch milliseconds. */
  readonly nowMs: () => number;
  /** The event is whole. */
  readonly deliver: (run: LambdaRun) => void;
  /** Nobody wants the answer any more. */
  readonly forget: (run: LambdaRun) => void;
}

/**
 * One invocation of a lambda function: gathers the event, takes the result.
 *
 * Invariants: R1 `answer.end` is called once. R2 a result that is not whole, or not what it must be, is never passed off as one.
 */
export class LambdaRun implements ContractRun, Work {
  readonly headers: Readonly<Record<string, string>>;
  readonly invoke: InvokeEvent;
  readonly #courier: LambdaCourier;
  readonly #call: ContractCall;
  readonly #answer: AnswerSink;
  readonly #parts: Uint8Array[];
  #byteLength: number;
  #event: Uint8Array = emptyEvent;
  #stream: IncomingMessage | undefined;
  #isPaused = false;
  /** The caller has sent the whole event. */
  #isWhole: boolean;
  #hasBegun = false;
  #isAborted = false;
  #hasHead = false;
  #isOver = false;

  constructor(courier: LambdaCourier, call: ContractCall, answer: AnswerSink) {
    const { revision } = courier;
    this.#courier = courier;
    this.#call = call;
    this.#answer = answer;
    this.#parts = [call.body];
    this.#byteLength = call.body.length;
    this.#isWhole = !call.more;
    this.headers = invocationHeaders(revision, call);
    this.invoke = { requestId: call.invocationId, deadlineMs: Math.round(call.deadlineAtMs), invokedFunctionArn: functionArn(revision), trace: traceHeader(call) };
  }

  /** Delivers what is whole already; refuses what can never be delivered. */
  begin(): void {
    this.#hasBegun = true;
    const { upgrade, bodyBytes } = this.#call;
    if (upgrade) return this.#refuse(new LongshoreError("bad_header", `Cannot invoke "${this.#courier.revision.functionName}": a lambda function answers requests, it cannot switch protocols`, { phase: "admission", field: "Upgrade" }));
    if (Math.max(this.#byteLength, bodyBytes ?? 0) > this.#courier.payloadMaxBytes) return this.#refuse(this.#tooLarge());
    if (this.#isWhole && !this.#isOver) this.#deliver();
  }

  /** Its caller or its time was gone before it ended. */
  get isAborted(): boolean {
    return this.#isAborted;
  }

  get event(): Uint8Array {
    return this.#event;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isOver) return true;
    this.#byteLength += bytes.length;
    this.#parts.push(bytes);
    if (this.#byteLength > this.#courier.payloadMaxBytes) this.#refuse(this.#tooLarge());
    return true;
  }

  endRequest(): void {
    this.#isWhole = true;
    if (this.#hasBegun && !this.#isOver) this.#deliver();
  }

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#isAborted = true;
    this.#stream?.resume();
    this.#courier.forget(this);
  }

  pause(): void {
    this.#isPaused = true;
    this.#stream?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#stream?.resume();
  }

  async respond(request: IncomingMessage): ReturnType<Work["respond"]> {
    if (request.headers["lambda-runtime-function-response-mode"] === "streaming") return this.#takeStream(request);
    const body = await readBody(request, this.#courier.payloadMaxBytes);
    if (body === "broken") return { verdict: "broken", finish: () => this.broke("The runtime's connection broke while it sent its result", false) };
    if (body === "too_large") return { verdict: "too_large", finish: () => this.#failWith("Function.ResponseSizeTooLarge", `Response payload size exceeded maximum allowed payload size (${this.#courier.payloadMaxBytes} bytes).`) };
    return { verdict: "taken", finish: () => this.#takeResult(body, request.headers["content-type"]) };
  }

  fail(body: Uint8Array, errorType: string | undefined): void {
    this.#failed(body.length > 0 ? body : Buffer.from(JSON.stringify({ errorType: errorType ?? "Error", errorMessage: "" })), describeError(body, errorType));
  }

  /** The runtime is gone, or cannot be reached. */
  broke(message: string, notStarted: boolean): void {
    this.#end({ kind: "broken", message, notStarted });
  }

  #deliver(): void {
    const body = this.#parts.length === 1 ? (this.#parts[0] ?? emptyEvent) : Buffer.concat(this.#parts);
    const { revision, nowMs } = this.#courier;
    this.#event = this.#call.viaUrl ? eventOfRequest(this.#call, body, revision, nowMs()) : body.length > 0 ? body : emptyEvent;
    this.#courier.deliver(this);
  }

  #takeResult(body: Buffer, contentType: string | undefined): void {
    if (!this.#call.viaUrl) return this.#answerWith({ status: 200, headers: [["content-type", contentType ?? "application/json"]] }, body);
    try {
      const { body: answerBody, ...answer } = answerOfResult(body);
      this.#answerWith(answer, answerBody);
    } catch (error) {
      this.#failWith("Function.InvalidResponse", `Cannot answer the request: ${(error as Error).message}`); // R2
    }
  }

  #answerWith(answer: UrlAnswer, body: Uint8Array): void {
    if (this.#isOver) return;
    this.#answer.head({ status: answer.status, headers: answer.headers }, body.length);
    if (body.length > 0) this.#answer.data(body);
    this.#finish(answer.status);
  }

  /** A result that goes out as it comes. */
  #takeStream(request: IncomingMessage): ReturnType<Work["respond"]> {
    const prelude = this.#call.viaUrl && request.headers["content-type"] === preludeType ? new PreludeReader() : undefined;
    let status = prelude === undefined ? 200 : 0;
    let problem: string | undefined;
    const begin = (answer: UrlAnswer) => {
      status = answer.status;
      this.#hasHead = true;
      this.#answer.head({ status: answer.status, headers: answer.headers });
    };
    const take = (chunk: Uint8Array) => {
      if (this.#isOver || problem !== undefined) return;
      if (this.#hasHead) return this.#answer.data(chunk);
      const found = prelude?.push(chunk);
      if (found === undefined) return;
      begin(found.answer);
      if (found.rest.length > 0) this.#answer.data(found.rest);
    };
    this.#stream = request;
    if (prelude === undefined && !this.#isOver) begin({ status: 200, headers: [["content-type", request.headers["content-type"] ?? "application/octet-stream"]] });
    if (this.#isPaused) request.pause();
    return new Promise((resolve) => {
      request.on("data", (chunk: Buffer) => {
        try {
          take(chunk);
        } catch (error) {
          problem = (error as Error).message;
        }
      });
      request.on("end", () => resolve({ verdict: "taken", finish: () => this.#endStream(request, status, problem) }));
      request.on("close", () => resolve({ verdict: "broken", finish: () => this.broke("The runtime's connection broke while it streamed its result", false) }));
      request.on("error", () => undefined); // Told by `close`.
    });
  }

  /** A failure midway is told behind the last chunk. */
  #endStream(request: IncomingMessage, status: number, problem: string | undefined): void {
    this.#stream = undefined;
    const type = request.trailers["lambda-runtime-function-error-type"];
    if (type !== undefined) {
      const body = Buffer.from(request.trailers["lambda-runtime-function-error-body"] ?? "", "base64");
      return this.#failed(body, describeError(body, type));
    }
    if (problem !== undefined || !this.#hasHead) return this.#failWith("Function.InvalidResponse", `Cannot answer the request: ${problem ?? "the prelude of its result has no end"}`);
    this.#finish(status);
  }

  #finish(status: number): void {
    const failed = this.#call.viaUrl && status >= 500;
    this.#end({ kind: "finished", result: { outcome: failed ? "failed" : "succeeded", status }, reusable: true });
  }

  #failWith(errorType: string, errorMessage: string): void {
    this.#failed(Buffer.from(JSON.stringify({ errorMessage, errorType })), `${errorType}: ${errorMessage}`);
  }

  /** Once an answer has begun it can only be broken off; before that, the error is the answer. */
  #failed(body: Uint8Array, message: string): void {
    if (this.#isOver) return;
    if (this.#hasHead) return this.#end({ kind: "finished", result: { outcome: "failed", message }, reusable: true });
    this.#answer.head({ status: failedStatus, headers: [["content-type", "application/json"]] }, body.length);
    if (body.length > 0) this.#answer.data(body);
    this.#end({ kind: "finished", result: { outcome: "failed", status: failedStatus, message }, reusable: true });
  }

  #refuse(error: LongshoreError): void {
    this.#parts.length = 0;
    this.#end({ kind: "refused", error, reusable: true });
  }

  #tooLarge(): LongshoreError {
    const { revision, payloadMaxBytes } = this.#courier;
    return new LongshoreError("payload_too_large", `Cannot invoke "${revision.functionName}": its event may have ${payloadMaxBytes} bytes; payloadMaxBytes sets how many`, { phase: "admission", field: "body" });
  }

  #end(ending: ContractEnding): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stream?.resume();
    this.#answer.end(ending); // R1
  }
}

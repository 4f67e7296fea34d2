import { type AnswerEnd, type AnswerHead, chunkBytes, headers as ours, type InvocationResult, isHopByHop, type LongshoreError } from "@longshore/protocol";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AnswerFront, InvocationHandle } from "../invocation/request.ts";
import { failureDocument, isWholeAnswer, statusOfResult } from "./answer-status.ts";
import { sendProblem } from "./problem.ts";

/**
 * An invocation's answer as an HTTP response.
 *
 * Invariants: H1 a response ends cleanly only when the function was heard out; anything else that comes after its head breaks the
 * connection, so that a part never passes for the whole. H2 credit is granted for bytes that the caller's connection has taken.
 * H3 an answer without a status of its own (stdio) keeps its head back until it is known how it ends, or 128 KiB have come, unless the
 * caller reads trailers.
 */
export class InvocationFront implements AnswerFront {
  readonly #response: ServerResponse;
  readonly #invocationId: string;
  readonly #hasBody: boolean;
  readonly #readsTrailers: boolean;
  handle: InvocationHandle | undefined;
  /** Called when the request body may go on. */
  onDrain: (() => void) | undefined;
  /** Called once when the answer is over, however. */
  onOver: (() => void) | undefined;
  #head: AnswerHead | undefined;
  #kept: Uint8Array[] | undefined;
  #keptBytes = 0;
  #isOver = false;
  #trailers = false;

  constructor(request: IncomingMessage, response: ServerResponse, invocationId: string) {
    this.#response = response;
    this.#invocationId = invocationId;
    this.#hasBody = request.method !== "HEAD";
    this.#readsTrailers = /\btrailers\b/i.test(String(request.headers.te ?? ""));
    response.on("close", () => {
      if (!this.#isOver) this.#over("abandoned");
    });
  }

  complete(head: AnswerHead, body: Uint8Array): void {
    const result = head.result ?? { outcome: "succeeded" };
    if (!isWholeAnswer(result)) this.#sendFailure(head, result);
    else this.#sendWhole(head, result, body);
    this.#over();
  }

  head(head: AnswerHead): void {
    this.#head = head;
    if (head.status === undefined && !this.#readsTrailers) this.#kept = []; // H3
    else this.#startStream(head);
  }

  data(bytes: Uint8Array): void {
    if (this.#isOver) return;
    if (this.#kept === undefined) return this.#write(bytes);
    this.#kept.push(bytes);
    this.#keptBytes += bytes.length;
    if (this.#keptBytes > chunkBytes) this.#releaseKept();
    else this.handle?.consumed(bytes.length);
  }

  end({ result }: Omit<AnswerEnd, "sequenceCount">): void {
    if (this.#isOver) return;
    if (this.#kept !== undefined) return this.complete({ ...(this.#head ?? { headers: [], complete: true }), result }, Buffer.concat(this.#kept));
    if (isWholeAnswer(result)) {
      if (this.#trailers) this.#response.addTrailers([[ours.result, result.outcome]]);
      this.#response.end();
    } else this.#response.destroy(); // H1
    this.#over();
  }

  fail(error: LongshoreError): void {
    if (this.#isOver) return;
    if (this.#response.headersSent) this.#response.destroy(); // H1
    else sendProblem(this.#response, error, { invocationId: this.#invocationId });
    this.#over();
  }

  drain(): void {
    this.onDrain?.();
  }

  #over(cancel?: "abandoned"): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (cancel !== undefined) this.handle?.cancel(cancel);
    this.onOver?.();
  }

  #sendWhole(head: AnswerHead, result: InvocationResult, body: Uint8Array): void {
    const status = statusOfResult(result);
    const fields = this.#fields(head, result.outcome);
    const isBodiless = status === 204 || status === 304 || status < 200;
    if (this.#hasBody && !isBodiless) fields.push("Content-Length", String(body.length));
    else if (!isBodiless || status === 304) keepLength(fields, head);
    this.#response.writeHead(status, fields);
    this.#response.end(this.#hasBody && !isBodiless ? body : undefined);
  }

  #sendFailure(head: AnswerHead, result: InvocationResult): void {
    const body = Buffer.from(`${JSON.stringify(failureDocument(result, this.#invocationId))}\n`);
    const fields = this.#ownFields(head, result.outcome);
    fields.push("Content-Type", "application/problem+json", "Content-Length", String(body.length));
    this.#response.writeHead(statusOfResult(result), fields);
    this.#response.end(this.#hasBody ? body : undefined);
  }

  #startStream(head: AnswerHead): void {
    const fields = this.#fields(head, undefined);
    const hasLength = keepLength(fields, head);
    this.#trailers = !hasLength && this.#hasBody;
    if (this.#trailers) fields.push("Trailer", ours.result);
    this.#response.writeHead(head.status ?? 200, fields);
    this.#response.flushHeaders();
  }

  #releaseKept(): void {
    const kept = this.#kept ?? [];
    this.#kept = undefined;
    this.#startStream(this.#head ?? { headers: [], complete: false });
    const last = kept.pop();
    for (const bytes of kept) this.#response.write(bytes);
    if (last !== undefined) this.#write(last); // The ones before it were granted as they came.
  }

  #write(bytes: Uint8Array): void {
    if (!this.#hasBody) return this.handle?.consumed(bytes.length);
    this.#response.write(bytes, () => this.handle?.consumed(bytes.length)); // H2
  }

  /** The function's own fields, without those of its connection, and ours. */
  #fields(head: AnswerHead, outcome: string | undefined): string[] {
    const fields: string[] = [];
    const isOriginAllowed = this.#response.hasHeader("access-control-allow-origin"); // Then who may read the answer is not for the function to say.
    for (const [name, value] of head.headers) {
      const lower = name.toLowerCase();
      if (lower === "service-worker-allowed") continue; // A function's script must not come to stand before the console, or another function.
      if (isOriginAllowed && lower.startsWith("access-control-")) continue;
      if (!isHopByHop(lower) && lower !== "content-length" && !lower.startsWith("longshore-")) fields.push(name, value);
    }
    if (this.#response.hasHeader("vary")) fields.push("Vary", "Origin"); // A field of the function's would take the place of ours.
    if (fields.some((name, index) => index % 2 === 0 && name.toLowerCase() === "date")) this.#response.sendDate = false;
    return [...fields, ...this.#ownFields(head, outcome)];
  }

  #ownFields(head: AnswerHead, outcome: string | undefined): string[] {
    const own: [string, string | undefined][] = [
      ["Longshore-Invocation-Id", this.#invocationId],
      ["Longshore-Site", head.siteId],
      ["Longshore-Agent", head.agentId],
      ["Longshore-Revision", head.revisionId],
      ["Longshore-Start", head.start],
      ["Longshore-Result", outcome],
    ];
    return own.flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
  }
}

/** Puts the length that the function named; true when there was one. */
function keepLength(fields: string[], head: AnswerHead): boolean {
  const length = head.headers.find(([name]) => name.toLowerCase() === "content-length")?.[1];
  if (length !== undefined) fields.push("Content-Length", length);
  return length !== undefined;
}

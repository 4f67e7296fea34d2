import { LongshoreError } from "@longshore/protocol";
import type { AnswerSink, ContractCall, ContractRun } from "../contract.ts";
import type { Connection, ConnectionEvents } from "./connection.ts";
import type { Connections } from "./connections.ts";
import { type RequestFraming, writeRequestHead } from "./request-head.ts";
import { fieldsToPass } from "./response-fields.ts";
import type { ProtocolViolation, ResponseHead } from "./response-head.ts";

const lineBreak = Buffer.from("\r\n");
const lastChunk = Buffer.from("0\r\n\r\n");
/** Head and body go out in one write up to this size; a larger body is not copied for it. */
const oneWriteBytes = 16 * 1024;

/**
 * One invocation over one connection.
 *
 * Invariants: E1 `answer.end` is called once. E2 a connection is kept only when request and answer are both whole and nothing came
 * behind the answer. E3 after the end nothing is written.
 */
export class HttpExchange implements ContractRun, ConnectionEvents {
  readonly #connections: Connections;
  readonly #connection: Connection;
  readonly #answer: AnswerSink;
  readonly #framing: RequestFraming;
  readonly #isUpgrade: boolean;
  #requestIsWhole: boolean;
  /** Of a body with a known length: what is still to come. */
  #remainingBytes: number;
  /** What the caller sent before the protocol was switched. */
  readonly #early: Uint8Array[] = [];
  #isTunnel = false;
  #isOver = false;
  #head: ResponseHead | undefined;

  /** Sends the request; throws `bad_header` before a byte is sent when it cannot be. */
  constructor(connections: Connections, call: ContractCall, answer: AnswerSink) {
    const { text, framing } = writeRequestHead(call, connections.authority);
    this.#connections = connections;
    this.#answer = answer;
    this.#framing = framing;
    this.#isUpgrade = call.upgrade;
    this.#requestIsWhole = !call.more;
    this.#remainingBytes = call.more ? (call.bodyBytes ?? Number.POSITIVE_INFINITY) : call.body.length;
    this.#connection = connections.take();
    this.#connection.use({ method: call.request.method, upgrade: call.upgrade }, this);
    this.#send(text, call);
  }

  #send(text: string, call: ContractCall): void {
    if (this.#framing === "length" && call.body.length > 0 && call.body.length <= oneWriteBytes) {
      const bytes = Buffer.allocUnsafe(text.length + call.body.length);
      bytes.write(text, 0, "latin1");
      bytes.set(call.body, text.length);
      this.#remainingBytes -= call.body.length;
      this.#connection.write(bytes);
      return;
    }
    this.#connection.write(Buffer.from(text, "latin1"));
    if (call.body.length === 0) return;
    if (call.upgrade) this.#early.push(call.body);
    else this.#sendBody(call.body);
  }

  #sendBody(bytes: Uint8Array): boolean {
    this.#remainingBytes -= bytes.length;
    if (this.#remainingBytes < 0) return this.#refuseBody("it is longer than it said");
    if (this.#framing !== "chunked") return this.#connection.write(bytes);
    return this.#connection.writeAll([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, lineBreak]);
  }

  /** The bytes that would follow could be taken for another request, or the server would wait for ever. */
  #refuseBody(what: string): true {
    this.#isOver = true;
    this.#connections.discard(this.#connection);
    const error = new LongshoreError("body_incomplete", `Cannot pass on the request body: ${what}`, { phase: "execution", field: "bodyBytes" });
    this.#answer.end({ kind: "refused", error, reusable: true });
    return true;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isOver || this.#requestIsWhole || bytes.length === 0) return true; // E3
    if (this.#isTunnel) return this.#connection.write(bytes);
    if (!this.#isUpgrade) return this.#sendBody(bytes);
    this.#early.push(bytes);
    return false;
  }

  endRequest(): void {
    if (this.#isOver || this.#requestIsWhole) return;
    this.#requestIsWhole = true;
    if (this.#isTunnel) this.#connection.endWrites();
    else if (this.#framing === "chunked") this.#connection.write(lastChunk);
    else if (this.#framing === "length" && this.#remainingBytes > 0) this.#refuseBody("it is shorter than it said");
  }

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#connections.discard(this.#connection);
  }

  pause(): void {
    if (!this.#isOver) this.#connection.pause();
  }

  resume(): void {
    if (!this.#isOver) this.#connection.resume();
  }

  onHead(head: ResponseHead): void {
    if (this.#isOver) return;
    this.#head = head;
    const bodyBytes = head.framing.kind === "length" ? head.framing.bytes : head.framing.kind === "none" ? 0 : undefined;
    this.#answer.head({ status: head.status, headers: fieldsToPass(head) as [string, string][] }, head.status === 101 ? undefined : bodyBytes);
  }

  onBody(bytes: Buffer): void {
    if (!this.#isOver) this.#answer.data(bytes);
  }

  onEnd(isClean: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const canKeep = isClean && this.#requestIsWhole && this.#head?.keepsAlive === true; // E2
    if (canKeep) this.#connections.keep(this.#connection, this.#head?.keepAliveMs);
    else this.#connections.discard(this.#connection);
    this.#finish(this.#head?.status ?? 0);
  }

  onUpgrade(rest: Buffer): void {
    if (this.#isOver) return;
    this.#isTunnel = true;
    this.#connection.becomeTunnel();
    if (rest.length > 0) this.#answer.data(rest);
    if (this.#early.length > 0 && this.#connection.writeAll(this.#early.splice(0))) this.#answer.requestDrained();
    if (this.#requestIsWhole) this.#connection.endWrites();
  }

  onTunnelData(bytes: Buffer): void {
    if (!this.#isOver) this.#answer.data(bytes);
  }

  onDrain(): void {
    if (!this.#isOver) this.#answer.requestDrained();
  }

  onViolation(violation: ProtocolViolation): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#connections.discard(this.#connection);
    if (violation.isHttp2) this.#answer.end({ kind: "refused", error: http2Only(), reusable: false });
    else this.#answer.end({ kind: "broken", message: violation.message, notStarted: false });
  }

  onClose(wasOpen: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#connections.discard(this.#connection);
    if (this.#isTunnel) return this.#finish(101);
    this.#answer.end({ kind: "broken", message: this.#closeMessage(wasOpen), notStarted: !wasOpen });
  }

  #closeMessage(wasOpen: boolean): string {
    if (!wasOpen) return "it did not take a connection";
    return this.#head === undefined ? "it closed the connection without an answer" : "it closed the connection before its answer was whole";
  }

  /** 5xx: the function says that it failed; whatever else it answers, it answered. */
  #finish(status: number): void {
    const failed = status >= 500;
    const result = failed ? { outcome: "failed" as const, status, message: `The function answered ${status}` } : { outcome: "succeeded" as const, status };
    this.#answer.end({ kind: "finished", result, reusable: true });
  }
}

/** The reason when a program speaks HTTP/2 only, which the `http` contract does not. */
export function http2Only(): LongshoreError {
  return new LongshoreError("instance_start_failed", "Cannot start instance: its program speaks only HTTP/2 on its port, and the http contract is HTTP/1.1", { phase: "startup" });
}

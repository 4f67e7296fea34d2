import { type AnswerEnd, type AnswerHead, isHopByHop, type LongshoreError } from "@longshore/protocol";
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { AnswerFront, InvocationHandle } from "../invocation/request.ts";
import { refuseUpgrade } from "../socket/refuse-upgrade.ts";
import { failureDocument, isWholeAnswer, statusOfResult } from "./answer-status.ts";

/**
 * An upgrade (WebSocket, or any other protocol) through a function URL: after the image's 101 the connection is a tunnel of raw
 * bytes both ways. Any other answer goes out as it is and ends the connection.
 */
export class UpgradeFront implements AnswerFront {
  readonly #socket: Duplex;
  readonly #invocationId: string;
  #handle: InvocationHandle | undefined;
  #isAnswered = false;
  #isOver = false;

  constructor(socket: Duplex, invocationId: string) {
    this.#socket = socket;
    this.#invocationId = invocationId;
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      if (!this.#isOver) this.#handle?.cancel("abandoned");
      this.#isOver = true;
    });
  }

  /** Begins to pass on what the caller sends; `early` came with its request. */
  attach(handle: InvocationHandle, early: Buffer): void {
    this.#handle = handle;
    if (early.length > 0) handle.write(early);
    this.#socket.on("data", (bytes: Buffer) => {
      if (!handle.write(bytes)) this.#socket.pause();
    });
    this.#socket.on("end", () => {
      handle.endRequest();
    });
  }

  complete(head: AnswerHead, body: Uint8Array): void {
    const result = head.result ?? { outcome: "succeeded" };
    if (isWholeAnswer(result)) {
      this.#writeHead(head, head.status ?? 200, [`Content-Length: ${body.length}`, "Connection: close"]);
      this.#socket.end(body);
    } else {
      const document = `${JSON.stringify(failureDocument(result, this.#invocationId))}\n`;
      this.#writeHead({ ...head, headers: [] }, statusOfResult(result), ["Content-Type: application/problem+json", `Content-Length: ${Buffer.byteLength(document)}`, "Connection: close"]);
      this.#socket.end(document);
    }
    this.#isOver = true;
  }

  head(head: AnswerHead): void {
    const upgrade = head.headers.find(([name]) => name.toLowerCase() === "upgrade")?.[1] ?? "websocket";
    const connection = head.status === 101 ? ["Connection: Upgrade", `Upgrade: ${upgrade}`] : ["Connection: close"];
    this.#writeHead(head, head.status ?? 200, connection);
  }

  data(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#socket.write(bytes, () => this.#handle?.consumed(bytes.length));
  }

  end({ result }: Omit<AnswerEnd, "sequenceCount">): void {
    this.#isOver = true;
    if (isWholeAnswer(result)) this.#socket.end();
    else this.#socket.destroy();
  }

  fail(error: LongshoreError): void {
    this.#isOver = true;
    if (this.#isAnswered) this.#socket.destroy();
    else refuseUpgrade(this.#socket, error);
  }

  drain(): void {
    this.#socket.resume();
  }

  #writeHead(head: AnswerHead, status: number, extra: readonly string[]): void {
    this.#isAnswered = true;
    const kept = head.headers.filter(([name]) => !isHopByHop(name.toLowerCase()) && name.toLowerCase() !== "content-length");
    const own = Object.entries({ "Longshore-Invocation-Id": this.#invocationId, "Longshore-Site": head.siteId, "Longshore-Agent": head.agentId, "Longshore-Start": head.start });
    const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Unknown"}`, ...extra, ...[...kept, ...own].flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))];
    this.#socket.write(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  }
}

import { isHttp2Settings } from "./http2.ts";
import { addHeaderLine, parseStatusLine, ProtocolViolation, readHead, type RequestKind, type ResponseHead } from "./response-head.ts";

/** What comes of an answer, in order: `onHead`, any number of `onBody`, then `onEnd`; or `onUpgrade` alone after a 101's head. */
export interface ResponseEvents {
  onHead(head: ResponseHead): void;
  /** A part of the body: a view of what was pushed. */
  onBody(bytes: Buffer): void;
  /** `isClean`: nothing came behind the answer, so that the connection can be used again. */
  onEnd(isClean: boolean): void;
  /** The protocol was switched: these first bytes, and all that follow, belong to the other one. */
  onUpgrade(rest: Buffer): void;
  /** Called at most once; what is pushed afterwards is ignored. */
  onViolation(violation: ProtocolViolation): void;
}

/** A longer head is refused: it has to fit the frame that carries it. */
export const maxHeadBytes = 128 * 1024;
const maxChunkLineBytes = 4 * 1024;
const lineFeed = 10;
const carriageReturn = 13;
/** Every status line begins with `HTTP/`: what does not need not be waited for. */
const letterH = 0x48;

type State = "idle" | "status" | "headers" | "length" | "chunk_size" | "chunk_data" | "chunk_end" | "trailers" | "until_close" | "ended" | "dead";

/**
 * Reads the answers of one HTTP/1.x connection, one request at a time. It is strict where leniency would leave the end of a body
 * open to interpretation, and passes header fields on as they stood.
 */
export class ResponseParser {
  #state: State = "idle";
  #events: ResponseEvents | undefined;
  #request: RequestKind = { method: "GET", upgrade: false };
  #line: Buffer | undefined;
  #headBytes = 0;
  #minorVersion = 1;
  #status = 0;
  #headers: [string, string][] = [];
  #remaining = 0;

  /** A request was sent: what comes next answers it. */
  expect(request: RequestKind, events: ResponseEvents): void {
    this.#request = request;
    this.#events = events;
    this.#beginHead();
  }

  /** True between answers: bytes that come now were not asked for. */
  get isIdle(): boolean {
    return this.#state === "idle";
  }

  /** Takes bytes as they came. */
  push(bytes: Buffer): void {
    try {
      const taken = this.#consume(bytes);
      if (this.#state === "ended") this.#end(taken === bytes.length);
    } catch (error) {
      this.#state = "dead";
      if (!(error instanceof ProtocolViolation)) throw error;
      this.#events?.onViolation(error);
    }
  }

  /** The connection ended: true when that was the proper end of the answer under way. */
  finish(): boolean {
    if (this.#state !== "until_close") return false;
    this.#end(false);
    return true;
  }

  /** Returns how many bytes belong to the answer. It stops at the answer's end: `onEnd` may bring the next request. */
  #consume(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length) {
      switch (this.#state) {
        case "length":
        case "chunk_data":
          at = this.#takeBody(bytes, at);
          break;
        case "until_close":
          this.#events?.onBody(at === 0 ? bytes : bytes.subarray(at));
          return bytes.length;
        case "idle":
        case "ended":
        case "dead":
          return at;
        default:
          at = this.#takeLine(bytes, at);
      }
    }
    return at;
  }

  #takeBody(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#remaining);
    this.#remaining -= end - at;
    this.#events?.onBody(bytes.subarray(at, end));
    if (this.#remaining === 0) {
      if (this.#state === "chunk_data") this.#state = "chunk_end";
      else this.#state = "ended";
    }
    return end;
  }

  /** Reads one line, or keeps its beginning for the bytes to come. */
  #takeLine(bytes: Buffer, at: number): number {
    if (this.#state === "status" && this.#line === undefined && bytes[at] !== letterH) {
      throw new ProtocolViolation("it did not answer with an HTTP/1.1 status line", isHttp2Settings(bytes.subarray(at)));
    }
    const feed = bytes.indexOf(lineFeed, at);
    const end = feed === -1 ? bytes.length : feed + 1;
    this.#headBytes += end - at;
    this.#checkLength();
    if (feed === -1) {
      const rest = bytes.subarray(at);
      this.#line = this.#line === undefined ? Buffer.from(rest) : Buffer.concat([this.#line, rest]);
      return end;
    }
    this.#onLine(this.#textOfLine(bytes, at, feed), bytes, end);
    return end;
  }

  #textOfLine(bytes: Buffer, at: number, feed: number): string {
    let line = bytes;
    let from = at;
    let to = feed;
    if (this.#line !== undefined) {
      line = Buffer.concat([this.#line, bytes.subarray(at, feed)]);
      this.#line = undefined;
      from = 0;
      to = line.length;
    }
    if (to > from && line[to - 1] === carriageReturn) to -= 1;
    return line.toString("latin1", from, to);
  }

  #checkLength(): void {
    const isHead = this.#state === "status" || this.#state === "headers";
    if (this.#headBytes > (isHead ? maxHeadBytes : maxChunkLineBytes)) {
      throw new ProtocolViolation(isHead ? `the header of its answer is over ${maxHeadBytes / 1024} KiB` : "its answer has an overlong chunk header");
    }
  }

  #onLine(line: string, bytes: Buffer, end: number): void {
    switch (this.#state) {
      case "status": {
        const { minorVersion, status } = parseStatusLine(line);
        this.#minorVersion = minorVersion;
        this.#status = status;
        this.#state = "headers";
        return;
      }
      case "headers":
        if (line === "") this.#endHead(bytes, end);
        else addHeaderLine(this.#headers, line);
        return;
      case "chunk_size":
        return this.#beginChunk(line);
      case "chunk_end":
        if (line !== "") throw new ProtocolViolation("a chunk of its answer is longer than it said");
        this.#state = "chunk_size";
        return;
      case "trailers":
        if (line === "") this.#state = "ended";
        return;
      default: // In every other state the bytes are no lines.
    }
  }

  #endHead(bytes: Buffer, end: number): void {
    if (this.#status < 200 && this.#status !== 101) return this.#beginHead(); // An interim answer: the real one follows.
    if (this.#status === 101 && !this.#request.upgrade) throw new ProtocolViolation("it switched protocols without being asked to");
    const head = readHead(this.#minorVersion, this.#status, this.#headers, this.#request);
    const events = this.#events;
    this.#state = this.#status === 101 ? "dead" : this.#beginBody(head); // After a 101 the bytes are no longer ours to read.
    events?.onHead(head);
    if (this.#status === 101) events?.onUpgrade(bytes.subarray(end));
  }

  #beginBody(head: ResponseHead): State {
    this.#headBytes = 0;
    switch (head.framing.kind) {
      case "none":
        return "ended";
      case "length":
        this.#remaining = head.framing.bytes;
        return "length";
      case "chunked":
        return "chunk_size";
      case "until_close":
        return "until_close";
    }
  }

  #beginChunk(line: string): void {
    const digits = /^([0-9A-Fa-f]{1,12})\s*(?:;[^\0\r]*)?$/.exec(line)?.[1];
    if (digits === undefined) throw new ProtocolViolation("its answer has a malformed chunk header");
    this.#headBytes = 0;
    this.#remaining = Number.parseInt(digits, 16);
    this.#state = this.#remaining === 0 ? "trailers" : "chunk_data";
  }

  #beginHead(): void {
    this.#state = "status";
    this.#headers = [];
    this.#headBytes = 0;
    this.#line = undefined;
  }

  #end(isClean: boolean): void {
    const events = this.#events;
    this.#state = "idle";
    this.#events = undefined;
    events?.onEnd(isClean);
  }
}

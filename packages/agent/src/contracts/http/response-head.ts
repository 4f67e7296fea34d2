import type { HeaderList } from "@longshore/protocol";
import { fieldNamePattern, forbiddenInFieldValue, trimBlanks } from "./header-field.ts";

/** How long the body of an answer is, by its header (RFC 9112, 6.3). */
export type BodyFraming = { readonly kind: "none" } | { readonly kind: "length"; readonly bytes: number } | { readonly kind: "chunked" } | { readonly kind: "until_close" };

/** The head of an answer: header fields as they stood on the wire, and what they mean for the connection. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: HeaderList;
  readonly framing: BodyFraming;
  /** The server will take another request on this connection. */
  readonly keepsAlive: boolean;
  /** For how long, where it said (`Keep-Alive: timeout=5`). */
  readonly keepAliveMs: number | undefined;
}

/** What the server sent is not an HTTP/1.x answer that can be passed on without guessing where it ends. */
export class ProtocolViolation extends Error {
  override readonly name = "ProtocolViolation";
  /** The server spoke HTTP/2 instead. */
  readonly isHttp2: boolean;

  constructor(message: string, isHttp2 = false) {
    super(message);
    this.isHttp2 = isHttp2;
  }
}

/** What was asked, as far as it decides how the answer is read. */
export interface RequestKind {
  readonly method: string;
  readonly upgrade: boolean;
}

const statusLinePattern = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [^\0\r]*)?$/;

/** Reads a status line: the minor version and the status. */
export function parseStatusLine(line: string): { minorVersion: number; status: number } {
  const match = statusLinePattern.exec(line);
  if (match === null) throw new ProtocolViolation("it did not answer with an HTTP/1.1 status line");
  return { minorVersion: Number(match[1]), status: Number(match[2]) };
}

/** Adds one header line to those read before; a folded line continues the value of the last. */
export function addHeaderLine(headers: [string, string][], line: string): void {
  if (line.startsWith(" ") || line.startsWith("\t")) return foldInto(headers.at(-1), line);
  const colon = line.indexOf(":");
  const name = line.slice(0, Math.max(colon, 0));
  const value = trimBlanks(line.slice(colon + 1));
  if (!fieldNamePattern.test(name) || forbiddenInFieldValue.test(value)) throw new ProtocolViolation("its answer has a malformed header field");
  headers.push([name, value]);
}

function foldInto(last: [string, string] | undefined, line: string): void {
  if (last === undefined || forbiddenInFieldValue.test(line)) throw new ProtocolViolation("its answer has a malformed header field");
  last[1] = `${last[1]} ${trimBlanks(line)}`;
}

/** Decides what a complete header means; throws a {@link ProtocolViolation} where two readers could disagree on the body's end. */
export function readHead(minorVersion: number, status: number, headers: HeaderList, request: RequestKind): ResponseHead {
  const seen = fieldsThatDecide(headers);
  const framing = framingOf(status, minorVersion, seen, request);
  const keepsAlive = minorVersion === 1 ? !seen.connection.includes("close") : seen.connection.includes("keep-alive");
  const isAmbiguous = seen.transferEncoding !== undefined && seen.contentLength !== undefined;
  return {
    status,
    headers: isAmbiguous ? headers.filter(([name]) => name.toLowerCase() !== "content-length") : headers,
    framing,
    keepsAlive: keepsAlive && !isAmbiguous && framing.kind !== "until_close",
    keepAliveMs: seen.keepAliveMs,
  };
}

interface DecidingFields {
  contentLength: number | undefined;
  transferEncoding: string | undefined;
  connection: string;
  keepAliveMs: number | undefined;
}

function fieldsThatDecide(headers: HeaderList): DecidingFields {
  const seen: DecidingFields = { contentLength: undefined, transferEncoding: undefined, connection: "", keepAliveMs: undefined };
  for (const [name, value] of headers) {
    switch (name.toLowerCase()) {
      case "content-length":
        seen.contentLength = oneLength(value, seen.contentLength);
        break;
      case "transfer-encoding":
        seen.transferEncoding = `${seen.transferEncoding === undefined ? "" : `${seen.transferEncoding},`}${value.toLowerCase()}`;
        break;
      case "connection":
        seen.connection += `,${value.toLowerCase()}`;
        break;
      case "keep-alive":
        seen.keepAliveMs = announcedMs(value);
        break;
    }
  }
  return seen;
}

/** `5`, or the same number several times; anything else could be read in two ways. */
function oneLength(value: string, before: number | undefined): number {
  let length = before;
  for (const part of value.split(",")) {
    const digits = part.trim();
    const bytes = /^\d{1,15}$/.test(digits) ? Number(digits) : Number.NaN;
    if (Number.isNaN(bytes) || (length !== undefined && length !== bytes)) throw new ProtocolViolation("its answer has a contradictory Content-Length");
    length = bytes;
  }
  return length ?? 0;
}

function announcedMs(value: string): number | undefined {
  const seconds = /(?:^|[,;\s])timeout\s*=\s*(\d{1,6})/i.exec(value)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

function framingOf(status: number, minorVersion: number, seen: DecidingFields, request: RequestKind): BodyFraming {
  if (request.method === "HEAD" || status < 200 || status === 204 || status === 304) return { kind: "none" };
  if (seen.transferEncoding !== undefined) {
    if (seen.transferEncoding !== "chunked" || minorVersion === 0) throw new ProtocolViolation("its answer has a transfer coding that was not asked for");
    return { kind: "chunked" };
  }
  if (seen.contentLength === undefined) return { kind: "until_close" };
  return seen.contentLength === 0 ? { kind: "none" } : { kind: "length", bytes: seen.contentLength };
}

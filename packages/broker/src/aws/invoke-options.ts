import { parseWhere, type Where } from "@longshore/protocol";
import type { IncomingHttpHeaders } from "node:http";
import { AwsError } from "./aws-error.ts";

/** As AWS has it: what a client may send of its context, in base64. */
const clientContextMax = 3583;

/** What an Invoke asks for besides the function. */
export interface InvokeOptions {
  /** Accepted, and run later. */
  readonly isEvent: boolean;
  /** Only whether it could be invoked. */
  readonly isDryRun: boolean;
  /** The end of its log goes along with the answer. */
  readonly wantsLog: boolean;
  readonly where: Where;
  /** The headers that its function sees. */
  readonly headers: [name: string, value: string][];
}

/** Reads the headers of an Invoke; throws an AwsError naming what it cannot take. */
export function readInvokeOptions(headers: IncomingHttpHeaders): InvokeOptions {
  const type = headers["x-amz-invocation-type"] ?? "RequestResponse";
  if (type !== "RequestResponse" && type !== "DryRun" && type !== "Event") throw invalid("invocationType", type, "RequestResponse, DryRun or Event");
  const logType = headers["x-amz-log-type"] ?? "None";
  if (logType !== "None" && logType !== "Tail") throw invalid("logType", logType, "None or Tail");
  const where = headers["longshore-where"];
  return { isEvent: type === "Event", isDryRun: type === "DryRun", wantsLog: logType === "Tail", where: typeof where === "string" ? parseWhere(where, "Longshore-Where") : {}, headers: passedOn(headers) };
}

function passedOn(headers: IncomingHttpHeaders): [string, string][] {
  const context = headers["x-amz-client-context"];
  if (typeof context === "string") checkClientContext(context);
  const kept: [string, string][] = [["Content-Type", "application/json"]];
  for (const name of ["x-amz-client-context", "x-amzn-trace-id", "traceparent", "tracestate"]) {
    const value = headers[name];
    if (typeof value === "string") kept.push([name, value]);
  }
  return kept;
}

function checkClientContext(encoded: string): void {
  if (encoded.length > clientContextMax) throw new AwsError("RequestTooLargeException", 413, `The client context must have at most ${clientContextMax} characters in base64`);
  try {
    JSON.parse(Buffer.from(encoded, "base64").toString("utf8"));
  } catch {
    throw new AwsError("InvalidRequestContentException", 400, "Client context must be a valid Base64-encoded JSON object.");
  }
}

function invalid(field: string, value: string | string[], expected: string): AwsError {
  return new AwsError("ValidationException", 400, `Value ${JSON.stringify(String(value).slice(0, 64))} at '${field}' failed to satisfy constraint: expected ${expected}`);
}

import { type HeaderList, parseTraceparent, type Revision } from "@longshore/protocol";
import type { ContractCall } from "../contract.ts";
import { regionOf } from "./environment.ts";

/** AWS's account number, where there is no account. */
const account = "000000000000";

/** The name by which a function knows itself: `arn:aws:lambda:…`. */
export function functionArn(revision: Revision): string {
  return `arn:aws:lambda:${regionOf(revision)}:${account}:function:${revision.functionName}`;
}

/** The headers with which the Runtime API hands an invocation to a runtime. */
export function invocationHeaders(revision: Revision, call: ContractCall): Record<string, string> {
  const context = clientContextOf(call.request.headers);
  const identity = valueOf(call.request.headers, "x-amz-cognito-identity");
  return {
    "Lambda-Runtime-Aws-Request-Id": call.invocationId,
    "Lambda-Runtime-Deadline-Ms": String(Math.round(call.deadlineAtMs)),
    "Lambda-Runtime-Invoked-Function-Arn": functionArn(revision),
    "Lambda-Runtime-Trace-Id": traceHeader(call),
    ...(context !== undefined && { "Lambda-Runtime-Client-Context": context }),
    ...(identity !== undefined && { "Lambda-Runtime-Cognito-Identity": identity }),
  };
}

/** A trace in X-Ray's form: the caller's W3C one, else one of the invocation's own that is not sampled. */
export function traceHeader({ traceparent, invocationId }: ContractCall): string {
  const caller = parseTraceparent(traceparent ?? "");
  const id = caller?.traceId ?? invocationId.replaceAll("-", "");
  return `Root=1-${id.slice(0, 8)}-${id.slice(8)};Parent=${caller?.spanId ?? id.slice(-16)};Sampled=${caller?.isSampled === true ? 1 : 0}`;
}

/** AWS's clients send it in base64; a runtime reads JSON. One that is neither is left out. */
function clientContextOf(headers: HeaderList): string | undefined {
  const encoded = valueOf(headers, "x-amz-client-context");
  if (encoded === undefined) return undefined;
  try {
    return toAscii(JSON.stringify(JSON.parse(Buffer.from(encoded, "base64").toString("utf8"))));
  } catch {
    return undefined;
  }
}

/** JSON whose every character a header may carry. */
function toAscii(json: string): string {
  return json.replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function valueOf(headers: HeaderList, name: string): string | undefined {
  return headers.find(([candidate]) => candidate.toLowerCase() === name)?.[1];
}

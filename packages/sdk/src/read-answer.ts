import { type AnswerHead, errorShape, type HeaderList, type InvocationResult, LongshoreError, type Outcome, outcomes, parseInput, type StartKind } from "@longshore/protocol";

/** What this client uses of an answer's head. */
export type CallAnswerHead = Pick<AnswerHead, "complete" | "status" | "siteId" | "agentId" | "start"> & { readonly headers: HeaderList; readonly result: InvocationResult };

const succeeded: InvocationResult = { outcome: "succeeded" };

/** Reads the head of an answer by plain checks, since every call has one; throws `bad_frame`. What is new to this build is let go. */
export function readAnswerHead(value: unknown): CallAnswerHead {
  const head = recordOf(value, "answer");
  const { complete, status, headers } = head;
  if (typeof complete !== "boolean") throw unreadable("complete");
  if (status !== undefined && typeof status !== "number") throw unreadable("status");
  return {
    complete,
    headers: headers === undefined ? [] : readHeaders(headers),
    status,
    siteId: textOf(head["siteId"]),
    agentId: textOf(head["agentId"]),
    start: textOf(head["start"]) as StartKind | undefined,
    result: !complete || head["result"] === undefined ? succeeded : readResult(head["result"]),
  };
}

/** Reads the end of a streamed answer; throws `bad_frame`. */
export function readAnswerEnd(value: unknown): { readonly sequenceCount: number; readonly result: InvocationResult } {
  const { sequenceCount, result } = recordOf(value, "end");
  if (typeof sequenceCount !== "number") throw unreadable("sequenceCount");
  return { sequenceCount, result: readResult(result) };
}

/** Reads what a broker refused or failed with; throws `bad_schema`. */
export function readError(value: unknown): LongshoreError {
  return LongshoreError.fromShape(parseInput(errorShape, value, "error"));
}

function readResult(value: unknown): InvocationResult {
  const result = recordOf(value, "result");
  if (!outcomes.includes(result["outcome"] as Outcome)) throw unreadable("result.outcome");
  return result as InvocationResult;
}

function readHeaders(value: unknown): HeaderList {
  if (!Array.isArray(value) || !value.every(isPair)) throw unreadable("headers");
  return value as HeaderList;
}

const isPair = (pair: unknown): boolean => Array.isArray(pair) && typeof pair[0] === "string" && typeof pair[1] === "string";
const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

function recordOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw unreadable(what);
  return value as Record<string, unknown>;
}

function unreadable(field: string): LongshoreError {
  return new LongshoreError("bad_frame", `Cannot read the broker's answer: ${field} is not what it should be`, { field });
}

import { type AnswerEnd, type AnswerHead, type HeaderList, type InvocationResult, LongshoreError, outcomes, startKinds, type StartKind } from "@longshore/protocol";

/**
 * Answers of agents, read by plain checks: they are the hottest of all messages, and a schema costs ten times as much. What is
 * wrong throws `bad_frame`; unknown fields are let go.
 */
export function readAnswerHead(value: unknown): AnswerHead {
  const head = recordOf(value, "answer");
  const { complete, status, start, instanceId, startMs, runMs } = head;
  if (typeof complete !== "boolean") throw unreadable("complete");
  if (status !== undefined && !isStatus(status)) throw unreadable("status");
  if (start !== undefined && !startKinds.includes(start as StartKind)) throw unreadable("start");
  return {
    complete,
    headers: readHeaders(head["headers"]),
    ...(status !== undefined && { status }),
    ...(start !== undefined && { start: start as StartKind }),
    ...(typeof instanceId === "string" && { instanceId }),
    ...(isAmount(startMs) && { startMs }),
    ...(isAmount(runMs) && { runMs }),
    ...(complete && { result: readResult(head["result"]) }),
  };
}

/** Reads the end of a streamed answer. */
export function readAnswerEnd(value: unknown): AnswerEnd {
  const { sequenceCount, result, runMs } = recordOf(value, "end");
  if (!isAmount(sequenceCount)) throw unreadable("sequenceCount");
  return { sequenceCount, result: readResult(result), ...(isAmount(runMs) && { runMs }) };
}

function readResult(value: unknown): InvocationResult {
  const result = recordOf(value, "result");
  if (!(outcomes as readonly unknown[]).includes(result["outcome"])) throw unreadable("result.outcome");
  return result as unknown as InvocationResult;
}

const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const forbiddenInValue = /[^\t\x20-\x7e\x80-\xff]/;

/** An image's headers are written into a caller's connection: nothing that could end a field may be among them. */
function readHeaders(value: unknown): [string, string][] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw unreadable("headers");
  for (const pair of value as unknown[]) {
    if (!Array.isArray(pair) || pair.length !== 2) throw unreadable("headers");
    const [name, text] = pair as unknown[];
    if (typeof name !== "string" || typeof text !== "string" || !headerName.test(name) || forbiddenInValue.test(text)) throw unreadable("headers");
  }
  return value as HeaderList as [string, string][];
}

function recordOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw unreadable(what);
  return value as Record<string, unknown>;
}

const isAmount = (value: unknown): value is number => typeof value === "number" && value >= 0 && Number.isFinite(value);
const isStatus = (value: unknown): value is number => typeof value === "number" && Number.isInteger(value) && value >= 100 && value <= 599;

function unreadable(field: string): LongshoreError {
  return new LongshoreError("bad_frame", `Cannot read an agent's answer: ${field} is not what it should be`, { field });
}

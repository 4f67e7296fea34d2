import type { HeaderList, InvocationResult } from "@longshore/protocol";
import type { Answer, CallOptions, Fleet } from "@longshore/sdk";
import { readHeaders, type RequestDraft } from "./request-draft.ts";

/** How a call from the page stands. */
export type TryRun =
  | { readonly phase: "idle" }
  | { readonly phase: "sending"; readonly invocationId: string }
  | { readonly phase: "answering" | "ended"; readonly invocationId: string; readonly head: TryHead; readonly body: TryBody; readonly result?: InvocationResult | undefined; readonly tookMs: number }
  | { readonly phase: "accepted"; readonly invocationId: string }
  | { readonly phase: "failed"; readonly invocationId: string; readonly reason: string; readonly message: string; readonly field?: string | undefined };

/** The head of an answer, and where it came from. */
export type TryHead = Pick<Answer, "status" | "headers" | "siteId" | "agentId" | "start">;

/** An answer's body as it comes. */
export interface TryBody {
  /** What of it is kept, as text. */
  readonly text: string;
  readonly bytes: number;
  /** More came than is kept here. */
  readonly isCut: boolean;
}

/** So much of an answer is kept in the page. */
export const answerBytesKept = 2 * 2 ** 20;

/** What of a fleet a try needs. */
export type Callable = Pick<Fleet, "call" | "enqueue">;

/** Sends a draft, which has no fault, and gives how that stands whenever it has changed; ends with the call. Never throws. */
export async function* tryFunction(fleet: Callable, functionName: string, draft: RequestDraft, { invocationId, signal, nowMs }: { readonly invocationId: string; readonly signal: AbortSignal; readonly nowMs: () => number }): AsyncGenerator<TryRun, void> {
  yield { phase: "sending", invocationId };
  const beganMs = nowMs();
  try {
    const { body, options } = requestOf(draft, invocationId, signal);
    if (draft.isAsync) {
      await fleet.enqueue(functionName, body, options);
      yield { phase: "accepted", invocationId };
      return;
    }
    const answer = await fleet.call(functionName, body, { ...options, method: draft.method, path: draft.path });
    const head = { status: answer.status, headers: answer.headers, siteId: answer.siteId, agentId: answer.agentId, start: answer.start };
    let last: TryBody = { text: "", bytes: 0, isCut: false };
    for await (last of bodyOf(answer.body)) yield { phase: "answering", invocationId, head, body: last, tookMs: nowMs() - beganMs };
    yield { phase: "ended", invocationId, head, body: last, result: await answer.result, tookMs: nowMs() - beganMs };
  } catch (error) {
    const { reason = "unexpected", message, field } = error as { reason?: string; message: string; field?: string };
    yield { phase: "failed", invocationId, reason, message, field };
  }
}

function requestOf(draft: RequestDraft, invocationId: string, signal: AbortSignal): { readonly body: string | undefined; readonly options: CallOptions } {
  const read = readHeaders(draft.headers);
  const headers: HeaderList = "headers" in read ? read.headers : [];
  const where = draft.where.trim();
  const timeoutMs = Number(draft.timeoutMs);
  return { body: draft.body === "" ? undefined : draft.body, options: { invocationId, signal, headers, ...(where !== "" && { where }), ...(timeoutMs > 0 && { timeoutMs }) } };
}

async function* bodyOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<TryBody, void> {
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  let [text, bytes] = ["", 0];
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    if (bytes < answerBytesKept) text += decoder.decode(next.value.subarray(0, answerBytesKept - bytes), { stream: true });
    bytes += next.value.length;
    yield { text, bytes, isCut: bytes > answerBytesKept };
  }
}

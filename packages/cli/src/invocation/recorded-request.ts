import { formatWhere, type InvocationView, LongshoreError, type RequestHead } from "@longshore/protocol";
import type { Fleet } from "../fleet.ts";

/** What is known of how an invocation was called. */
export interface RecordedRequest {
  readonly functionName: string;
  /** Absent: it was not kept. */
  readonly head: RequestHead | undefined;
  readonly body: Uint8Array | undefined;
  /** Where it might run; empty: anywhere. */
  readonly where: string;
}

/** Reads how an invocation was called: kept is that of what did not succeed and was accepted (a dead letter). Of any other only the function is known. Throws `invocation_not_found`. */
export async function readRecordedRequest({ deadLetters, invocation }: Pick<Fleet, "deadLetters" | "invocation">, invocationId: string): Promise<RecordedRequest> {
  try {
    const { record, request, where } = await deadLetters.get(invocationId);
    return { functionName: record.functionName, head: request, body: await deadLetters.body(invocationId), where: formatWhere(where) };
  } catch (error) {
    if (!(error instanceof LongshoreError) || error.code !== "not_found") throw error;
  }
  return { functionName: functionOf(await invocation(invocationId).status()), head: undefined, body: undefined, where: "" };
}

function functionOf(view: InvocationView): string {
  return view.state === "finished" ? view.record.functionName : view.functionName;
}

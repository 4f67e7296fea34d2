import type { InvocationResult, StartKind } from "@longshore/protocol";
import type { Answer } from "../fleet.ts";
import { answerChunks } from "./answer-chunks.ts";

/** A whole answer as one JSON document. */
export interface AnswerDocument {
  readonly functionName: string;
  readonly invocationId: string;
  readonly siteId: string | undefined;
  readonly agentId: string | undefined;
  readonly start: StartKind | undefined;
  readonly status: number | undefined;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly result: InvocationResult;
  /** The body where it is UTF-8 text, else {@link bodyBase64}. */
  readonly body?: string;
  readonly bodyBase64?: string;
}

/** Waits for the end of an answer and gives all of it; the body is held in memory. */
export async function answerDocument(functionName: string, answer: Answer): Promise<AnswerDocument> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of answerChunks(answer)) chunks.push(chunk);
  const { invocationId, siteId, agentId, start, status, headers } = answer;
  return { functionName, invocationId, siteId, agentId, start, status, headers, result: await answer.result, ...bodyField(Buffer.concat(chunks)) };
}

/** Bytes as a JSON field: `body` for text, `bodyBase64` for anything else. */
export function bodyField(bytes: Uint8Array): { readonly body: string } | { readonly bodyBase64: string } {
  try {
    return { body: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { bodyBase64: Buffer.from(bytes).toString("base64") };
  }
}

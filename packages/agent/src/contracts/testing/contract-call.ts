import type { HeaderList } from "@longshore/protocol";
import type { ContractCall } from "../contract.ts";

/** What a test wants of an invocation; the body may be text. */
export interface CallChanges extends Partial<Omit<ContractCall, "request" | "body">> {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: HeaderList;
  readonly body?: Uint8Array | string;
}

/** An invocation as the agent would deliver it; the simplest unless told otherwise: `GET /`. */
export function contractCall({ method = "GET", target = "/", headers = [], body = "", ...rest }: CallChanges = {}): ContractCall {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  return {
    invocationId: "0199a5a0-0000-7000-8000-000000000001",
    request: { method, target, headers: headers.map(([name, value]) => [name, value]) },
    traceparent: undefined,
    deadlineAtMs: Date.UTC(2026, 10, 25),
    upgrade: false,
    viaUrl: true,
    body: bytes,
    more: false,
    bodyBytes: undefined,
    addedHeaders: [],
    ...rest,
  };
}

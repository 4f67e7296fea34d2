import type { MsgHdrs } from "@nats-io/nats-core";
import type { QueueTerms } from "./queue-store.ts";

/** Terms stand in headers, so that an index is read without a single body. */
const names = { attempt: "Longshore-Attempt", notBeforeMs: "Longshore-Not-Before", expiresAtMs: "Longshore-Expires-At", sentUntilMs: "Longshore-Sent-Until" } as const;

export function termsHeaders(terms: QueueTerms): [string, string][] {
  return [
    [names.attempt, String(terms.attempt)],
    [names.notBeforeMs, String(terms.notBeforeMs)],
    [names.expiresAtMs, String(terms.expiresAtMs)],
    [names.sentUntilMs, String(terms.sentUntilMs)],
  ];
}

/** Reads them back; what is not there counts as 0: begun at once, and over. */
export function readTerms(headers: MsgHdrs | undefined): QueueTerms {
  const read = (name: string) => Number(headers?.get(name) ?? 0) || 0;
  return { attempt: read(names.attempt), notBeforeMs: read(names.notBeforeMs), expiresAtMs: read(names.expiresAtMs), sentUntilMs: read(names.sentUntilMs) };
}

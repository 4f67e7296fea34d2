import type { MsgHdrs } from "@nats-io/nats-core";
import type { AgentAddress, AgentId, SiteId } from "@longshore/protocol";
import type { QueueTerms } from "./queue-store.ts";

/** Terms stand in headers, so that an index is read without a single body. */
const names = {
  attempt: "Longshore-Attempt",
  notBeforeMs: "Longshore-Not-Before",
  expiresAtMs: "Longshore-Expires-At",
  sentUntilMs: "Longshore-Sent-Until",
  sentTo: "Longshore-Sent-To",
  isCancelled: "Longshore-Cancelled",
} as const;

export function termsHeaders({ attempt, notBeforeMs, expiresAtMs, sentUntilMs, sentTo, isCancelled }: QueueTerms): [string, string][] {
  const headers: [string, string][] = [
    [names.attempt, String(attempt)],
    [names.notBeforeMs, String(notBeforeMs)],
    [names.expiresAtMs, String(expiresAtMs)],
    [names.sentUntilMs, String(sentUntilMs)],
  ];
  if (sentTo !== undefined) headers.push([names.sentTo, `${sentTo.siteId}/${sentTo.agentId}`]);
  if (isCancelled === true) headers.push([names.isCancelled, "1"]);
  return headers;
}

/** Reads them back; what is not there counts as 0: begun at once, and over. */
export function readTerms(headers: MsgHdrs | undefined): QueueTerms {
  const read = (name: string) => Number(headers?.get(name) ?? 0) || 0;
  const sentTo = readAddress(headers?.get(names.sentTo) ?? "");
  return {
    attempt: read(names.attempt),
    notBeforeMs: read(names.notBeforeMs),
    expiresAtMs: read(names.expiresAtMs),
    sentUntilMs: read(names.sentUntilMs),
    ...(sentTo && { sentTo }),
    ...(headers?.get(names.isCancelled) === "1" && { isCancelled: true }),
  };
}

/** Brokers wrote it, of an agent's checked names. */
function readAddress(text: string): AgentAddress | undefined {
  const [siteId, agentId] = text.split("/");
  return siteId && agentId ? { siteId: siteId as SiteId, agentId: agentId as AgentId } : undefined;
}

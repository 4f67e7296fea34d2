import type { InvocationRecord } from "@longshore/sdk";
import { Link } from "../shell/link.tsx";
import { formatMs } from "../shell/quantity.ts";
import { Moment, OutcomeBadge, Text } from "../shell/text.tsx";
import { VirtualList } from "../shell/virtual-list.tsx";
import { durationOf, isTroubled } from "./invocation-filter.ts";

export interface InvocationRowsProps {
  readonly records: readonly InvocationRecord[];
  readonly isLong?: boolean;
  /** What is plain from where they stand, and left out to the eye. */
  readonly plain?: "function" | "host";
}

/** Invocations that ended, each a line that leads to it. A long list scrolls within itself. */
export function InvocationRows({ records, isLong = false, plain }: InvocationRowsProps) {
  if (isLong) return <><InvocationsHead /><VirtualList items={records} rowHeight={40} label="Invocations, newest first" class="invocations" keyOf={({ invocationId, attempt }) => `${invocationId}/${attempt}`} show={(record) => <InvocationRow record={record} />} /></>;
  return <div class={`invocations ${plain === undefined ? "" : `without-${plain}`}`} role="list" aria-label="Invocations, newest first">{records.map((record) => <div key={record.invocationId} role="listitem"><InvocationRow record={record} /></div>)}</div>;
}

function InvocationsHead() {
  return <div class="invocation-row head wide-only" aria-hidden="true"><span>Ended</span><span>Outcome</span><span>Function</span><span class="number">Took</span><span>Start</span><span>Where</span><span>Why, or its id</span></div>;
}

function InvocationRow({ record }: { readonly record: InvocationRecord }) {
  const { invocationId, functionName, finishedAt, result, siteId, agentId, start } = record;
  return (
    <Link to={["invocations", invocationId]} class={isTroubled(record) ? "invocation-row troubled" : "invocation-row"}>
      <span class="time"><Moment at={finishedAt} /></span>
      <span><OutcomeBadge outcome={result.outcome} status={result.status} /></span>
      <span class="name"><Text>{functionName}</Text></span>
      <span class="number">{formatMs(durationOf(record))}</span>
      <span class="wide-only quiet">{start ?? ""}</span>
      <span class="wide-only where"><Text>{siteId === undefined ? "no host" : `${siteId} / ${agentId ?? ""}`}</Text></span>
      <span class="wide-only why">{result.message !== undefined ? <Text>{result.message.slice(0, 200)}</Text> : <code>{invocationId}</code>}</span>
    </Link>
  );
}

import { formatMs } from "../shell/quantity.ts";
import { Text } from "../shell/text.tsx";
import type { Segment, Timeline } from "./timeline.ts";

/** An invocation's life as bars, one a line, each where it was in the whole. */
export function TimelineView({ timeline: { totalMs, segments } }: { readonly timeline: Timeline }) {
  if (segments.length === 0) return <p class="hint">Nothing of it was measured.</p>;
  return (
    <ol class="timeline" aria-label={`Its life: ${formatMs(totalMs)} in all`}>
      {segments.map((segment, at) => <Bar key={at} segment={segment} totalMs={totalMs} />)}
      <li class="whole"><span>In all</span><span class="track" /><span class="number">{formatMs(totalMs)}</span></li>
    </ol>
  );
}

function Bar({ segment: { kind, label, fromMs, untilMs, detail, isBad }, totalMs }: { readonly segment: Segment; readonly totalMs: number }) {
  const share = (ms: number) => `${totalMs === 0 ? 0 : (ms / totalMs) * 100}%`;
  return (
    <li>
      <span>{label}</span>
      <span class="track"><span class={`bar ${kind} ${isBad === true ? "bad" : ""}`} style={{ left: share(fromMs), width: share(untilMs - fromMs) }} /></span>
      <span class="number">{formatMs(untilMs - fromMs)}</span>
      {detail !== undefined && <small><Text>{detail}</Text></small>}
    </li>
  );
}

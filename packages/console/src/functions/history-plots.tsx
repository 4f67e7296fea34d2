import { outcomes, startKinds } from "@longshore/protocol";
import { Plot } from "../plot/plot.tsx";
import { changeQuery } from "../shell/navigation.ts";
import { useNow } from "../shell/now.ts";
import { Choice, Panel } from "../shell/parts.tsx";
import { formatCount, formatMs, formatPerSecond } from "../shell/quantity.ts";
import { useHistory } from "./use-history.ts";

/** A power of ten, in milliseconds. */
const formatTick = (ms: number): string => (ms < 60_000 ? formatMs(ms) : `${formatCount(ms / 1000)} s`);

const spans = [["600000", "10 minutes"], ["3600000", "1 hour"], ["86400000", "1 day"], ["604800000", "1 week"]] as const;

/** How a function fares over time: how often, with what outcome, how long, from which start. */
export function HistoryPlots({ functionName, span }: { readonly functionName: string; readonly span: string | undefined }) {
  const lastMs = Number(spans.find(([value]) => value === span)?.[0] ?? 600_000);
  const { points: pointsOf, stepMs, from } = useHistory(functionName, lastMs);
  const nowMs = Math.ceil(useNow() / stepMs) * stepMs;
  const points = pointsOf(functionName).filter(({ atMs }) => atMs >= nowMs - lastMs);
  const given = { fromMs: nowMs - lastMs, untilMs: nowMs, stepMs };
  return (
    <Panel title="Over time" actions={<Choice isInline label="Last" value={String(lastMs)} options={spans} onChange={(last) => changeQuery({ last })} />}>
      {from === "page" && <p class="hint">Since this page was opened: the broker has told of no history.</p>}
      <div class="plots">
        <Plot {...given} title="Ended" kind="stack" names={outcomes.filter((name) => name === "succeeded" || points.some((point) => point.outcomes[name] !== undefined))} points={points.map(({ atMs, outcomes: values }) => ({ atMs, values }))} scale={1000 / stepMs} format={formatPerSecond} />
        <Plot {...given} title="Took" kind="lines" names={["p50", "p99"]} points={points.flatMap(({ atMs, durations }) => (durations === undefined ? [] : [{ atMs, values: { p50: durations.p50Ms, p99: durations.p99Ms } }]))} format={formatMs} formatTick={formatTick} />
        <Plot {...given} title="Began from" kind="stack" names={[...startKinds]} points={points.map(({ atMs, starts: values }) => ({ atMs, values }))} scale={1000 / stepMs} format={formatPerSecond} />
      </div>
    </Panel>
  );
}

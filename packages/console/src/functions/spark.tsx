import type { HistoryPoint } from "@longshore/protocol";

const width = 180;
const height = 28;

/** How many ended over time, in a line's height; what failed stands out. */
export function Spark({ points, nowMs, lastMs, stepMs }: { readonly points: readonly HistoryPoint[]; readonly nowMs: number; readonly lastMs: number; readonly stepMs: number }) {
  const fromMs = nowMs - lastMs;
  const shown = points.filter(({ atMs }) => atMs >= fromMs).map(({ atMs, outcomes }) => {
    const all = Object.values(outcomes).reduce((sum, each) => sum + each, 0);
    return { atMs, all, bad: all - (outcomes.succeeded ?? 0) - (outcomes.cancelled ?? 0) };
  });
  const most = Math.max(1, ...shown.map(({ all }) => all));
  const x = (atMs: number) => ((atMs - fromMs) / lastMs) * width;
  const barWidth = Math.max(1.5, (stepMs / lastMs) * width - 0.5);
  const high = (count: number) => (count === 0 ? 0 : Math.max(1, (count / most) * height));
  return (
    <svg class="spark" width={width} height={height} aria-hidden="true">
      <line x1={0} x2={width} y1={height - 0.5} y2={height - 0.5} />
      {shown.map(({ atMs, all, bad }) => <g key={atMs}><rect class="succeeded" x={x(atMs)} y={height - high(all)} width={barWidth} height={high(all)} /><rect class="failed" x={x(atMs)} y={height - high(bad)} width={barWidth} height={high(bad)} /></g>)}
    </svg>
  );
}

import { useEffect, useRef, useState } from "preact/hooks";
import { formatTime } from "../shell/quantity.ts";
import { decades, linePath, niceTicks, stack } from "./scale.ts";

/** A point in time with a value by name. */
export interface PlotPoint {
  readonly atMs: number;
  readonly values: Readonly<Partial<Record<string, number>>>;
}

export interface PlotProps {
  readonly title: string;
  /** `lines` are drawn over powers of ten. */
  readonly kind: "stack" | "lines";
  readonly points: readonly PlotPoint[];
  /** In order: of a stack from below; each has its colour by its name. */
  readonly names: readonly string[];
  readonly fromMs: number;
  readonly untilMs: number;
  readonly stepMs: number;
  /** What a value of a stack is multiplied with: 1 over seconds for a rate. */
  readonly scale?: number;
  readonly format: (value: number) => string;
  /** The same for the axis, where there is little room. */
  readonly formatTick?: (value: number) => string;
}

const height = 132;
const left = 52;
const bottom = 18;
const top = 6;

/** Values over time, drawn as they are; a pointer or the arrow keys read them off. */
export function Plot({ title, kind, points, names, fromMs, untilMs, stepMs, scale = 1, format, formatTick = format }: PlotProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(480);
  const [readAt, setReadAt] = useState<number | undefined>(undefined);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.max(160, Math.floor(entry?.contentRect.width ?? 480))));
    if (frame.current !== null) observer.observe(frame.current);
    return () => observer.disconnect();
  }, []);
  const columns = stack(points, names, scale);
  const ticks = kind === "stack" ? niceTicks(Math.max(0, ...columns.map(({ parts }) => parts.at(-1)?.until ?? 0))) : decades(points.flatMap(({ values }) => names.map((name) => values[name] ?? 0)));
  const [least = 0, most = 1] = [ticks[0], ticks.at(-1)];
  const shareOf = (value: number) => (kind === "stack" ? value / most : Math.log(Math.max(value, least) / least) / Math.log(most / least));
  const x = (atMs: number) => left + ((atMs - fromMs) / Math.max(1, untilMs - fromMs)) * (width - left);
  const y = (value: number) => height - bottom - shareOf(value) * (height - bottom - top);
  const read = readAt === undefined ? undefined : points[Math.min(points.length - 1, Math.max(0, readAt))];
  const point = (event: PointerEvent & { currentTarget: Element }) => {
    const atMs = fromMs + ((event.clientX - event.currentTarget.getBoundingClientRect().left - left) / (width - left)) * (untilMs - fromMs) - stepMs / 2;
    setReadAt(nearest(points, atMs));
  };
  const key = (event: KeyboardEvent) => {
    const step = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    if (step === 0 || points.length === 0) return;
    event.preventDefault();
    setReadAt(Math.min(points.length - 1, Math.max(0, (readAt ?? points.length) + step)));
  };
  const columnWidth = Math.max(1.5, x(fromMs + stepMs) - x(fromMs) - 1);
  return (
    <figure class="plot">
      <figcaption>{title}<span class="keys">{names.map((name) => <span key={name} class={`key ${name}`}>{name.replaceAll("_", " ")}{read !== undefined && <b> {format((read.values[name] ?? 0) * scale)}</b>}</span>)}</span><small>{read === undefined ? "" : formatTime(read.atMs).slice(0, 8)}</small></figcaption>
      <div ref={frame}>
        <svg width={width} height={height} role="img" aria-label={`${title}: ${summary(points, names, scale, format)}`} tabIndex={0} onPointerMove={point} onPointerLeave={() => setReadAt(undefined)} onKeyDown={key}>
          {ticks.map((tick) => <g key={tick} class="tick"><line x1={left} x2={width} y1={y(tick)} y2={y(tick)} /><text x={left - 6} y={y(tick) + 4}>{formatTick(tick)}</text></g>)}
          {kind === "stack" && columns.map(({ atMs, parts }) => parts.map(({ name, from, until }) => <rect key={`${atMs}${name}`} class={name} x={x(atMs)} width={columnWidth} y={y(until)} height={Math.max(0.5, y(from) - y(until))} />))}
          {kind === "lines" && names.map((name) => <path key={name} class={name} d={linePath(points.map(({ atMs, values }) => ({ atMs: atMs + stepMs / 2, value: values[name] })), x, y, stepMs * 3)} />)}
          {kind === "lines" && points.map(({ atMs, values }) => names.map((name) => values[name] !== undefined && <circle key={`${atMs}${name}`} class={name} cx={x(atMs + stepMs / 2)} cy={y(values[name])} r={2} />))}
          {read !== undefined && <line class="reading" x1={x(read.atMs + stepMs / 2)} x2={x(read.atMs + stepMs / 2)} y1={top} y2={height - bottom} />}
          <text class="time" x={left} y={height - 4}>{formatTime(fromMs).slice(0, 5)}</text>
          <text class="time end" x={width} y={height - 4}>{formatTime(untilMs).slice(0, 5)}</text>
        </svg>
      </div>
    </figure>
  );
}

function nearest(points: readonly PlotPoint[], atMs: number): number | undefined {
  let best: number | undefined;
  for (const [at, point] of points.entries()) if (best === undefined || Math.abs(point.atMs - atMs) < Math.abs((points[best]?.atMs ?? 0) - atMs)) best = at;
  return best;
}

/** For those who cannot see it: the latest values. */
function summary(points: readonly PlotPoint[], names: readonly string[], scale: number, format: (value: number) => string): string {
  const last = points.at(-1);
  return last === undefined ? "nothing yet" : `at the end ${names.map((name) => `${name} ${format((last.values[name] ?? 0) * scale)}`).join(", ")}; arrow keys read earlier values`;
}

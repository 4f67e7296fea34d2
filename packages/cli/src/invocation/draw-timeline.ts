import { inert } from "../terminal/inert.ts";
import { formatDuration } from "../terminal/quantity.ts";
import type { Style } from "../terminal/style.ts";
import { fitWidth } from "../terminal/text-width.ts";
import type { Span, Timeline } from "./timeline.ts";

const nameColumns = 10;
const timeColumns = 9;
const [leastBar, mostBar] = [10, 60];
/** The rest is for the notes. */
const barShare = 0.55;

const colours: Readonly<Record<Span["kind"], keyof Style>> = {
  placement: "yellow", backlog: "dim", backoff: "dim", waiting: "dim", attempt: "red", start: "magenta", run: "green", running: "green", reply: "cyan",
};

/** A timeline as lines, its bars to scale: `run        ·····███████  1.2s`. No line is wider than `columns`, but that a bar has ten at least. */
export function drawTimeline({ spans, totalMs, isOver }: Timeline, columns: number, style: Style): readonly string[] {
  const width = Math.max(leastBar, Math.min(mostBar, Math.floor((columns - nameColumns - timeColumns - 4) * barShare)));
  const noteColumns = Math.max(0, columns - nameColumns - width - timeColumns - 4);
  const until = `${formatDuration(totalMs)}${isOver ? "" : "…"}`;
  const scale = style.dim(`${"0".padEnd(width - until.length)}${until}`);
  const rows = spans.map((span) => {
    const took = formatDuration(span.untilMs - span.fromMs).padStart(timeColumns);
    const note = fitWidth(inert(span.note), noteColumns);
    return `${span.kind.padEnd(nameColumns)} ${drawBar(span, totalMs, width, style)} ${took}${note === "" ? "" : `  ${style.dim(note)}`}`;
  });
  return [`${" ".repeat(nameColumns)} ${scale}`, ...rows];
}

/** Each span shows, however short; none reaches beyond the end. */
function drawBar({ kind, fromMs, untilMs }: Span, totalMs: number, width: number, style: Style): string {
  const columnOf = (ms: number) => (totalMs === 0 ? 0 : (ms / totalMs) * width);
  const from = Math.min(width - 1, Math.floor(columnOf(fromMs)));
  const length = Math.max(1, Math.min(width - from, Math.round(columnOf(untilMs)) - from));
  const block = kind === "backlog" || kind === "backoff" || kind === "waiting" ? "░" : "█";
  return `${style.dim("·".repeat(from))}${style[colours[kind]](block.repeat(length))}${style.dim("·".repeat(width - from - length))}`;
}

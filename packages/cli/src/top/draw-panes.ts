import { paintAgentState } from "../agent-state.ts";
import { inert } from "../terminal/inert.ts";
import { formatBytes, formatDuration } from "../terminal/quantity.ts";
import { condense, sparkline } from "../terminal/sparkline.ts";
import type { Style } from "../terminal/style.ts";
import { fitWidth, textWidth } from "../terminal/text-width.ts";
import type { Figures } from "./activity.ts";
import { type FunctionRow, type HostRow, type Load, type Rows, shareOf } from "./rows.ts";

/** How a pane is shown. */
export interface PaneLook {
  readonly columns: number;
  readonly style: Style;
  /** The row that stands out where the person is in this pane; absent: none. */
  readonly cursor: { readonly row: number; readonly isHere: boolean } | undefined;
  /** By what its rows stand in order; absent: that is not told. */
  readonly sort: string | undefined;
}

/** A column of a pane; columns that a narrow screen has no room for are left out from the right. */
interface Cell {
  readonly title: string;
  readonly text: string;
  readonly width: number;
  readonly isRight?: true;
  /** It is of our own making, painted already and as wide as it is to be. */
  readonly isDrawn?: true;
  readonly paint?: (text: string) => string;
}

const [leastName, mostName] = [12, 40];
const barColumns = 12;
const mostPlot = 60;
/** What a function's line has beside its name and its plot, which ends where the screen does. */
const otherColumns = 55;

/** Two lines: what there is, and what happens. */
export function totalLines({ totals }: Rows, columns: number, style: Style): readonly string[] {
  const { load, figures } = totals;
  const hosts = `${totals.ready} of ${totals.hosts} hosts ready, ${totals.sites} sites`;
  const memory = `memory ${memoryBar(load, barColumns, style)} ${formatBytes(load.memoryUsedBytes)}/${formatBytes(load.memoryBytes)}`;
  const head = `${formatRate(figures.perSecond)}  ${style.dim("failed")} ${paintFailed(figures, failedShare(figures), style)}  ${style.dim("p50")} ${formatTime(figures.p50Ms)}  ${style.dim("p99")} ${formatTime(figures.p99Ms)}  ${style.dim("w/h/c")} ${formatStarts(figures)}  `;
  const room = Math.max(0, columns - textWidth(head));
  const plot = sparkline(condense(figures.plot, Math.min(mostPlot, room)));
  return [`${hosts}  ${load.running} running, ${load.idle} idle, ${load.held} held  ${memory}`, `${head}${style.cyan(plot.padStart(room))}`];
}

/** The hosts' pane: two lines of headings and at most `height` rows, those around the cursor. */
export function hostPane(rows: readonly HostRow[], height: number, look: PaneLook): readonly string[] {
  const hosts = rows.filter(({ kind }) => kind === "host").length;
  const nameWidth = nameWidthOf(rows.map((row) => (row.kind === "site" ? row.siteId : `  ${row.agent.agentId}`)), look.columns);
  const cellsOf = (row: HostRow): readonly Cell[] => {
    const { load } = row;
    const isSite = row.kind === "site";
    const name = isSite ? row.siteId : `  ${row.agent.agentId}`;
    const state = isSite ? `${row.ready}/${row.hosts} ready` : row.state;
    return [
      { title: "HOST", text: name, width: nameWidth, ...(isSite && { paint: look.style.bold }) },
      { title: "STATE", text: state, width: 13, paint: (text) => paintAgentState(isSite && row.ready === row.hosts ? "ready" : isSite ? "draining" : row.state, text, look.style) },
      { title: "RUN", text: String(load.running), width: 6, isRight: true },
      { title: "IDLE", text: String(load.idle), width: 6, isRight: true },
      { title: "HELD", text: String(load.held), width: 6, isRight: true },
      { title: "MEMORY", text: memoryBar(load, barColumns, look.style), width: barColumns, isDrawn: true },
      { title: "", text: `${formatBytes(load.memoryUsedBytes)}/${formatBytes(load.memoryBytes)}`, width: 16 },
    ];
  };
  return pane(`Hosts ${hosts}`, rows, height, cellsOf, { kind: "site", siteId: "", hosts: 0, ready: 0, load: emptyLoad }, look);
}

/** The functions' pane, likewise. */
export function functionPane(rows: readonly FunctionRow[], height: number, look: PaneLook): readonly string[] {
  const nameWidth = nameWidthOf(rows.map(({ name }) => name), look.columns);
  const plotWidth = Math.max(0, look.columns - nameWidth - otherColumns);
  const cellsOf = ({ name, running, figures }: FunctionRow): readonly Cell[] => [
    { title: "FUNCTION", text: name, width: nameWidth },
    { title: "RATE", text: formatRate(figures.perSecond), width: 8, isRight: true },
    { title: "FAILED", text: failedShare(figures), width: 7, isRight: true, paint: (text) => paintFailed(figures, text, look.style) },
    { title: "P50", text: formatTime(figures.p50Ms), width: 7, isRight: true },
    { title: "P99", text: formatTime(figures.p99Ms), width: 7, isRight: true },
    { title: "RUN", text: String(running), width: 6, isRight: true },
    { title: "W/H/C %", text: formatStarts(figures), width: 11, isRight: true },
    ...(plotWidth === 0 ? [] : [{ title: "LAST 10 MINUTES", text: sparkline(condense(figures.plot, Math.min(mostPlot, plotWidth))), width: plotWidth, isRight: true as const, paint: look.style.cyan }]),
  ];
  return pane(`Functions ${rows.length}`, rows, height, cellsOf, { name: "", running: 0, figures: emptyFigures }, look);
}

const emptyLoad: Load = { running: 0, idle: 0, held: 0, memoryBytes: 0, memoryUsedBytes: 0 };
const emptyFigures: Figures = { perSecond: 0, ended: 0, failed: 0, starts: { warm: 0, held: 0, cold: 0 }, p50Ms: undefined, p99Ms: undefined, plot: [] };

function pane<Row>(title: string, rows: readonly Row[], height: number, cellsOf: (row: Row) => readonly Cell[], empty: Row, { columns, style, cursor, sort }: PaneLook): readonly string[] {
  const isHere = cursor?.isHere === true;
  const chosen = Math.max(0, Math.min(rows.length - 1, cursor?.row ?? 0));
  const shown = Math.max(0, height);
  const from = Math.max(0, Math.min(rows.length - shown, chosen - Math.floor(shown / 2)));
  const part = rows.length > shown ? `  ${from + 1} to ${Math.min(rows.length, from + shown)}` : "";
  const order = sort === undefined ? "" : `  by ${sort}`;
  const heading = `${isHere ? "▸ " : "  "}${title}${style.dim(`${order}${part}`)}`;
  const titles = style.dim(layOut(cellsOf(empty).map(({ paint: _, ...cell }) => ({ ...cell, text: cell.title })), columns - 2));
  const lines = rows.slice(from, from + shown).map((row, at) => {
    const text = layOut(cellsOf(row), columns - 2);
    return isHere && from + at === chosen ? `${style.green("▌")} ${text}` : `  ${text}`;
  });
  return [isHere ? style.bold(heading) : heading, `  ${titles}`, ...(lines.length === 0 && shown > 0 ? [style.dim("  nothing yet")] : lines)];
}

function layOut(cells: readonly Cell[], columns: number): string {
  let left = columns;
  const parts: string[] = [];
  for (const { text, width, isRight, isDrawn, paint } of cells) {
    left -= width + (parts.length === 0 ? 0 : 1);
    if (left < 0) break;
    const plain = isDrawn === true ? text : fitWidth(inert(text), width);
    const padding = " ".repeat(Math.max(0, width - textWidth(plain)));
    const padded = isRight === true ? padding + plain : plain + padding;
    parts.push(paint === undefined ? padded : paint(padded));
  }
  return parts.join(" ");
}

function nameWidthOf(names: readonly string[], columns: number): number {
  let widest = leastName;
  for (const name of names) if (name.length > widest) widest = name.length;
  return Math.max(leastName, Math.min(widest, mostName, columns - 40));
}

function memoryBar(load: Load, columns: number, style: Style): string {
  const share = shareOf(load);
  const filled = Math.round(share * columns);
  const paint = share > 0.9 ? style.red : share > 0.75 ? style.yellow : style.green;
  return `${paint("█".repeat(filled))}${style.dim("░".repeat(columns - filled))}`;
}

/** `<0.1/s`, `0.2/s`, `12.3/s`, `1,240/s`. */
function formatRate(perSecond: number): string {
  if (perSecond > 0 && perSecond < 0.1) return "<0.1/s";
  return `${perSecond < 100 ? Number(perSecond.toFixed(1)) : Math.round(perSecond).toLocaleString("en-US")}/s`;
}

function formatTime(ms: number | undefined): string {
  return ms === undefined ? "-" : formatDuration(ms);
}

function failedShare({ ended, failed }: Figures): string {
  if (ended === 0) return "-";
  const share = (failed / ended) * 100;
  return failed > 0 && share < 0.1 ? "<0.1%" : `${Number(share.toFixed(share < 10 ? 1 : 0))}%`;
}

function paintFailed({ failed }: Figures, text: string, style: Style): string {
  return failed > 0 ? style.red(text) : text;
}

function formatStarts({ starts: { warm, held, cold } }: Figures): string {
  const all = warm + held + cold;
  return all === 0 ? "-" : [warm, held, cold].map((count) => Math.round((count / all) * 100)).join("/");
}

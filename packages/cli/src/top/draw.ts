import { inert } from "../terminal/inert.ts";
import type { Style } from "../terminal/style.ts";
import type { Size } from "../terminal/terminal.ts";
import { textWidth } from "../terminal/text-width.ts";
import { functionPane, hostPane, type PaneLook, totalLines } from "./draw-panes.ts";
import type { Rows } from "./rows.ts";
import { keyHelp, type Pane, panes, type View } from "./view.ts";

/** Everything that a picture is made of. */
export interface Picture {
  readonly rows: Rows;
  readonly view: View;
  readonly size: Size;
  readonly style: Style;
  /** Epoch milliseconds: when the rows were true. */
  readonly atMs: number;
  /** The broker's address. */
  readonly url: string;
  /** What is to be known of where the figures come from: a lost connection, no history. */
  readonly notice: string | undefined;
}

/** With less than that for both panes, only the one that is looked at is shown. */
const leastForBoth = 10;
const chromeRows = 4;

/** The whole screen as lines, at most as many as it has rows. */
export function drawTop(picture: Picture): readonly string[] {
  const { view, size } = picture;
  const body = view.isHelp ? helpLines(picture.style) : bodyLines(picture, Math.max(0, size.rows - chromeRows));
  const above = [titleLine(picture), ...totalLines(picture.rows, size.columns, picture.style)];
  const filled = [...above, ...body.slice(0, Math.max(0, size.rows - chromeRows))];
  return [...filled, ...Array<string>(Math.max(0, size.rows - 1 - filled.length)).fill(""), footLine(picture)].slice(-size.rows);
}

/** The same without a screen: every row, nothing stands out. */
export function drawSnapshot({ rows, ...picture }: Omit<Picture, "size" | "view">, columns: number): readonly string[] {
  const look = { columns, style: picture.style, cursor: undefined, sort: undefined };
  const notice = picture.notice === undefined ? [] : [inert(picture.notice)];
  return [...totalLines(rows, columns, picture.style), ...notice, "", ...hostPane(rows.hosts, rows.hosts.length, look), "", ...functionPane(rows.functions, rows.functions.length, look)].map((line) => line.trimEnd());
}

function titleLine({ url, atMs, view, size, style }: Picture): string {
  const left = `longshore top  ${inert(url)}`;
  const right = `${view.isPaused ? "paused at " : ""}${new Date(atMs).toISOString().slice(11, 19)} UTC`;
  const gap = " ".repeat(Math.max(1, size.columns - textWidth(left) - right.length));
  return `${style.bold(left)}${gap}${view.isPaused ? style.yellow(right) : style.dim(right)}`;
}

function bodyLines({ rows, view, size, style }: Picture, height: number): readonly string[] {
  const heights = paneHeights({ hosts: rows.hosts.length, functions: rows.functions.length }, view.pane, height);
  const look = (pane: Pane): PaneLook => ({ columns: size.columns, style, cursor: { row: view.cursor[pane], isHere: view.pane === pane }, sort: view.sort[pane] });
  const drawn = [
    ...(heights.hosts === 0 ? [] : [hostPane(rows.hosts, heights.hosts - 2, look("hosts"))]),
    ...(heights.functions === 0 ? [] : [functionPane(rows.functions, heights.functions - 2, look("functions"))]),
  ];
  const hasRoom = drawn.flat().length + drawn.length <= height;
  return drawn.flatMap((lines) => (hasRoom ? ["", ...lines] : lines));
}

/** How many lines each pane gets, its two lines of headings included: half each, but none more than it needs while the other needs them. */
export function paneHeights(counts: Readonly<Record<Pane, number>>, looked: Pane, height: number): Readonly<Record<Pane, number>> {
  if (height < leastForBoth) return { hosts: looked === "hosts" ? height : 0, functions: looked === "functions" ? height : 0 };
  const [hostsNeed, functionsNeed] = panes.map((pane) => Math.max(3, counts[pane] + 2));
  const half = Math.floor(height / 2);
  const hosts = Math.min(hostsNeed ?? half, Math.max(half, height - (functionsNeed ?? half)));
  return { hosts, functions: height - hosts };
}

function helpLines(style: Style): readonly string[] {
  return [
    "",
    ...keyHelp.map(([keys, meaning]) => `  ${style.bold(keys.padEnd(12))}${meaning}`),
    "",
    "  Rates, failures, percentiles and starts are those of the last minute; plots go back ten minutes, ten seconds a step.",
    "  Failed is what did not succeed and was not cancelled. w/h/c: warm, held and cold starts in per cent.",
    "  Hosts: running, idle and held instances; memory is what is promised to instances of what there is.",
  ];
}

function footLine({ view, notice, style }: Picture): string {
  if (view.isTyping) return `${style.bold("/")}${inert(view.filter)}▏ ${style.dim("enter keeps it, escape drops it")}`;
  const filter = view.filter === "" ? "" : `${style.yellow(`filter: ${inert(view.filter)}`)}  `;
  const told = notice === undefined ? "" : `${style.yellow(inert(notice))}  `;
  return `${filter}${told}${style.dim("tab pane  ↑↓ move  / filter  s sort  p pause  ? help  q quit")}`;
}

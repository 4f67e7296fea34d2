import type { Key } from "../terminal/keys.ts";
import { createPacer, laterInProcess } from "../terminal/pacer.ts";
import { openScreen } from "../terminal/screen.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { drawTop } from "./draw.ts";
import type { FleetNow } from "./fleet-now.ts";
import { noticeOf } from "./notice.ts";
import { type Rows, rowsOf } from "./rows.ts";
import { firstView, press } from "./view.ts";

export interface RunScreenOptions {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly url: string;
}

/** What happens is drawn at most four times a second; keys are answered at once. */
const leastBetweenMs = 250;
/** Figures fade though nothing happens. */
const idleMs = 1_000;

/** Shows a fleet on the whole terminal until the person leaves, the signal comes, or the changes fail; whichever it is, the terminal is given back first. */
export async function runScreen(state: FleetNow, changes: AsyncIterable<void>, { terminal, signal, now, url }: RunScreenOptions): Promise<void> {
  const left = Promise.withResolvers<undefined>();
  let view = firstView;
  let atMs = now();
  let rows: Rows = rowsOf(state, view, atMs);
  const show = (): void => screen.draw(drawTop({ rows, view, size: terminal.size(), style: terminal.style, atMs, url, notice: noticeOf(state, now()) }));
  const refresh = (): void => {
    if (!view.isPaused) [atMs, rows] = [now(), rowsOf(state, view, now())];
    show();
  };
  const onKey = (key: Key): void => {
    const next = press(view, key, { hosts: rows.hosts.length, functions: rows.functions.length });
    if (next === undefined) return left.resolve(undefined);
    view = next;
    refresh();
  };
  const screen = openScreen(terminal, { onKey, onResize: show });
  const pacer = createPacer({ leastMs: leastBetweenMs, act: refresh, now: () => performance.now(), later: laterInProcess });
  const idle = setInterval(pacer.ask, idleMs);
  const onAbort = (): void => left.resolve(undefined);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    pacer.ask();
    await Promise.race([left.promise, follow(changes, pacer.ask)]);
  } finally {
    clearInterval(idle);
    pacer.stop();
    screen.close();
  }
}

async function follow(changes: AsyncIterable<void>, onChange: () => void): Promise<void> {
  for await (const _ of changes) onChange();
}

import type { Context } from "../command-line/context.ts";
import { inert } from "./inert.ts";
import { laterInProcess } from "./pacer.ts";
import { formatDuration } from "./quantity.ts";
import type { Terminal } from "./terminal.ts";
import { fitWidth } from "./text-width.ts";

/** Nobody needs to be told that something goes on that is over sooner. */
const silentMs = 1_000;
const betweenMs = 250;
const wheel = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"] as const;

export interface WorkingOptions {
  /** Milliseconds of any origin; default: this process's. */
  readonly now?: () => number;
  readonly later?: (call: () => void, ms: number) => () => void;
}

/**
 * Waits for something, and where that takes longer than a second says so on a terminal's stderr, on one line that is gone when it is over:
 * `⠹ Backing up, 12s`. Elsewhere, and with --json, nothing is shown.
 */
export async function whileWorking<T>({ terminal, json }: { readonly terminal: Terminal; readonly json: Context["json"] }, text: string, work: Promise<T>, { now = () => performance.now(), later = laterInProcess }: WorkingOptions = {}): Promise<T> {
  if (json || !terminal.isErrLive) return work;
  const beganMs = now();
  const drawn = { count: 0 };
  const draw = (): void => {
    drawn.count += 1;
    const passedMs = now() - beganMs;
    const line = fitWidth(`${wheel[Math.floor(passedMs / betweenMs) % wheel.length] ?? ""} ${inert(text)}, ${formatDuration(Math.floor(passedMs / 1000) * 1000)}`, terminal.columns() - 1);
    terminal.err.write(`\r\u001b[2K${terminal.errStyle.dim(line)}`);
    cancel = later(draw, betweenMs);
  };
  let cancel = later(draw, silentMs);
  try {
    return await work;
  } finally {
    cancel();
    if (drawn.count > 0) terminal.err.write("\r\u001b[2K");
  }
}

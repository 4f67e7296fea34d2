import { median, quantile } from "./measure.ts";

/** What one bench found. `ratio` is ours against the first reference. */
export interface BenchResult {
  readonly name: string;
  readonly ratio: number;
  /** Every reference's ratio, by its name, where there are several. */
  readonly ratios?: Readonly<Record<string, number>>;
  readonly ours: number;
  readonly reference: number;
  readonly unit: string;
  readonly runs: number;
  /** What the ratio is meant to be, as `≤ 0.20`. */
  readonly goal: string;
  readonly met: boolean;
  /** Every figure that was measured, of ours and of each reference by its name, in `unit`. */
  readonly figures: Readonly<Record<string, readonly number[]>>;
  /** Further figures worth a line, by name. */
  readonly besides?: Readonly<Record<string, string>>;
}

/** Builds a result from figures measured in turns; `better` says which way is good. */
export function compare(name: string, unit: string, ours: readonly number[], references: Readonly<Record<string, readonly number[]>>, goal: { readonly bound: number; readonly better: "lower" | "higher" }, besides: Record<string, string> = {}): BenchResult {
  const oursMedian = median(ours);
  const ratios = Object.fromEntries(Object.entries(references).map(([label, values]) => [label, oursMedian / median(values)]));
  const ratio = Object.values(ratios)[0] ?? Number.NaN;
  const first = Object.values(references)[0] ?? [];
  return {
    name,
    ratio,
    ...(Object.keys(ratios).length > 1 && { ratios }),
    ours: oursMedian,
    reference: median(first),
    unit,
    runs: ours.length,
    goal: `${goal.better === "lower" ? "≤" : "≥"} ${goal.bound}`,
    met: goal.better === "lower" ? ratio <= goal.bound : ratio >= goal.bound,
    figures: { ours, ...references },
    besides: { spread: `${format(quantile(ours, 0.1))} to ${format(quantile(ours, 0.9))} ${unit}`, ...besides },
  };
}

/** A figure with three significant digits. */
export function format(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString("en") : Number(value.toPrecision(3)).toString();
}

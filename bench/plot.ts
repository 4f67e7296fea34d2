import { median, quantile } from "./measure.ts";
import { format } from "./result.ts";

const width = 640;
const height = 190;
const left = 44;
const bottom = 26;
const top = 10;
const right = 12;
const names = ["ours", "first", "second", "third"] as const;

/**
 * How figures are distributed, as an SVG: for each name the share of its figures (upwards) that are at most so large (along, on a
 * logarithmic scale), and its median as a dot.
 */
export function distributionPlot(figures: Readonly<Record<string, readonly number[]>>, unit: string): string {
  const all = Object.values(figures).flat().filter((value) => value > 0);
  const [least, most] = [Math.min(...all) / 1.15, Math.max(...all.length > 200 ? [quantile(all, 0.998)] : all) * 1.15];
  const along = (value: number) => left + (Math.log(Math.max(least, Math.min(most, value)) / least) / Math.log(most / least)) * (width - left - right);
  const up = (share: number) => top + (1 - share) * (height - top - bottom);
  const curves = Object.entries(figures).map(([name, values], index) => {
    const sorted = [...values].sort((a, b) => a - b);
    const points = thinned(sorted).map(([value, share]) => `${along(value).toFixed(1)},${up(share).toFixed(1)}`);
    const middle = median(values);
    return `<g class="${names[Math.min(index, names.length - 1)]}"><polyline points="${points.join(" ")}"/><circle cx="${along(middle).toFixed(1)}" cy="${up(0.5).toFixed(1)}" r="4"><title>${name}: median ${format(middle)} ${unit}</title></circle></g>`;
  });
  const shares = [0, 0.5, 1].map((share) => `<line class="rule" x1="${left}" x2="${width - right}" y1="${up(share)}" y2="${up(share)}"/><text class="share" x="${left - 8}" y="${up(share) + 4}">${share * 100} %</text>`);
  const ticks = ticksBetween(least, most).map((value) => `<line class="rule" x1="${along(value)}" x2="${along(value)}" y1="${top}" y2="${height - bottom}"/><text class="tick" x="${along(value)}" y="${height - 8}">${format(value)}</text>`);
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="Distribution in ${unit}">${shares.join("")}${ticks.join("")}${curves.join("")}</svg>`;
}

/** A step curve of at most some hundred points. */
function thinned(sorted: readonly number[]): [value: number, share: number][] {
  const step = Math.max(1, Math.floor(sorted.length / 300));
  const points: [number, number][] = [[sorted[0] ?? 0, 0]];
  for (let index = 0; index < sorted.length; index += step) points.push([sorted[index] ?? 0, index / sorted.length], [sorted[index] ?? 0, (index + 1) / sorted.length]);
  points.push([sorted.at(-1) ?? 0, 1]);
  return points;
}

/** Round values on a logarithmic scale: 1, 2 and 5 of each decade, or decades alone where those would be too many. */
function ticksBetween(least: number, most: number): number[] {
  const steps = most / least > 200 ? [1] : [1, 2, 5];
  const ticks: number[] = [];
  for (let decade = Math.floor(Math.log10(least)); decade <= Math.log10(most); decade += 1) {
    for (const step of steps) ticks.push(step * 10 ** decade);
  }
  return ticks.filter((value) => value >= least && value <= most);
}

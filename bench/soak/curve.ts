import { format } from "../result.ts";

const [width, height, left, bottom, top, right] = [640, 230, 48, 28, 10, 12];
const classes = ["ours", "first", "second", "third"];

/** Figures over time as an SVG: one line for each name, from zero upwards. */
export function timeCurve(minutes: readonly number[], figures: Readonly<Record<string, readonly number[]>>, unit: string): string {
  const most = Math.max(1, ...Object.values(figures).flat()) * 1.1;
  const last = Math.max(...minutes);
  const along = (at: number) => left + (at / last) * (width - left - right);
  const up = (value: number) => top + (1 - value / most) * (height - top - bottom);
  const curves = Object.entries(figures).map(([name, values], index) => {
    const points = values.map((value, at) => `${along(minutes[at] ?? 0).toFixed(1)},${up(value).toFixed(1)}`);
    return `<g class="${classes[Math.min(index, classes.length - 1)] ?? ""}"><polyline points="${points.join(" ")}"><title>${name}</title></polyline></g>`;
  });
  const levels = roundSteps(most, 4).map((value) => `<line class="rule" x1="${left}" x2="${width - right}" y1="${up(value)}" y2="${up(value)}"/><text class="share" x="${left - 8}" y="${up(value) + 4}">${format(value)}</text>`);
  const times = roundSteps(last, 6).map((at) => `<text class="tick" x="${along(at)}" y="${height - 8}">${format(at)} min</text>`);
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${unit} over time">${levels.join("")}${times.join("")}${curves.join("")}</svg>`;
}

/** About that many round values from 0 to the most. */
function roundSteps(most: number, count: number): number[] {
  const rough = most / count;
  const decade = 10 ** Math.floor(Math.log10(rough));
  const step = decade * ([1, 2, 5].find((factor) => factor * decade >= rough) ?? 10);
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, index) => index * step);
}

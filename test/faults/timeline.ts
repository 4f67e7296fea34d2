import { type Outcome, outcomes } from "@longshore/protocol";
import { escape } from "../../bench/page.ts";
import { format } from "../../bench/result.ts";
import type { ArrangedHistory, Fault } from "./arrange.ts";
import { tellingsOf } from "./telling.ts";

const [width, left, right] = [960, 60, 12];
const [top, chartHeight, axisHeight, laneHeight] = [18, 120, 26, 15];
const mostBins = 300;

/** Counts of one bin of time. */
interface Bin {
  submitted: number;
  accepted: number;
  readonly finished: Record<Outcome, number>;
}

/** What happened when, as an SVG: submitted and accepted a second; finished a second by outcome; and under the axis a bar for each fault. */
export function timeline(history: ArrangedHistory): string {
  const lastMs = Math.max(1, history.lastMs);
  const binMs = Math.max(1_000, Math.ceil(lastMs / mostBins / 1_000) * 1_000);
  const bins = binsOf(history, binMs);
  const along = (ms: number) => left + (Math.min(ms, lastMs) / lastMs) * (width - left - right);
  const lanes = [...new Set(history.faults.map(({ began }) => began.kind))];
  const axisTop = top + 2 * chartHeight + 20;
  const height = axisTop + axisHeight + lanes.length * laneHeight + 8;
  const most = Math.max(1, ...bins.map(({ submitted, finished }) => Math.max(submitted, sum(Object.values(finished))))) / (binMs / 1_000);
  const parts = [
    ...history.faults.map((fault) => shade(fault, along, axisTop)),
    rateChart("submitted, and accepted, a second", top, most, bins.map(({ submitted, accepted }) => [submitted, accepted]), binMs, along),
    outcomeChart("finished a second, by outcome", top + chartHeight + 20, most, bins, binMs, along),
    axis(lastMs, axisTop, along),
    ...lanes.map((kind, lane) => laneOf(kind, history.faults, axisTop + axisHeight + lane * laneHeight, along)),
  ];
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="Invocations and faults over time">${parts.join("")}</svg>`;
}

function binsOf(history: ArrangedHistory, binMs: number): Bin[] {
  const bins = Array.from({ length: Math.floor(Math.max(1, history.lastMs) / binMs) + 1 }, (): Bin => ({ submitted: 0, accepted: 0, finished: Object.fromEntries(outcomes.map((outcome) => [outcome, 0])) as Record<Outcome, number> }));
  const at = (ms: number) => bins[Math.min(bins.length - 1, Math.max(0, Math.floor(ms / binMs)))] as Bin;
  for (const story of history.stories.values()) {
    at(story.terms.atMs).submitted += 1;
    if (story.accepted !== undefined) at(story.accepted.atMs).accepted += 1;
    const [told] = tellingsOf(story);
    if (told !== undefined) at(told.finishedMs).finished[told.outcome] += 1;
  }
  return bins;
}

type Along = (ms: number) => number;

function rateChart(title: string, y: number, most: number, counts: readonly (readonly [number, number])[], binMs: number, along: Along): string {
  const up = (count: number) => y + chartHeight * (1 - count / (binMs / 1_000) / most);
  const line = (which: 0 | 1) => counts.map((both, index) => `${at(along((index + 0.5) * binMs))},${at(up(both[which]))}`).join(" ");
  return `${frame(title, y, most)}<g class="submitted"><polyline points="${line(0)}"/></g><g class="accepted"><polyline points="${line(1)}"/></g>`;
}

function outcomeChart(title: string, y: number, most: number, bins: readonly Bin[], binMs: number, along: Along): string {
  const bars = bins.flatMap(({ finished }, index) => {
    let below = 0;
    return outcomes.filter((outcome) => finished[outcome] > 0).map((outcome) => {
      const share = finished[outcome] / (binMs / 1_000) / most;
      below += share;
      return `<rect class="${outcome}" x="${at(along(index * binMs))}" y="${at(y + chartHeight * (1 - below))}" width="${at(Math.max(0.6, along((index + 1) * binMs) - along(index * binMs) - 0.3))}" height="${at(chartHeight * share)}"><title>${finished[outcome]} ${outcome}</title></rect>`;
    });
  });
  return frame(title, y, most) + bars.join("");
}

function frame(title: string, y: number, most: number): string {
  const levels = [0, 0.5, 1].map((share) => `<line class="rule" x1="${left}" x2="${width - right}" y1="${y + chartHeight * (1 - share)}" y2="${y + chartHeight * (1 - share)}"/><text class="share" x="${left - 8}" y="${y + chartHeight * (1 - share) + 4}">${format(most * share)}</text>`);
  return `${levels.join("")}<text x="${left}" y="${y - 5}">${title}</text>`;
}

function axis(lastMs: number, y: number, along: Along): string {
  const step = [5, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200].find((seconds) => lastMs / 1_000 / seconds <= 12) ?? 14_400;
  const ticks = Array.from({ length: Math.floor(lastMs / 1_000 / step) + 1 }, (_, index) => index * step);
  return ticks.map((seconds) => `<text class="tick" x="${at(along(seconds * 1_000))}" y="${y + 12}">${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}</text>`).join("");
}

function shade({ fromMs, toMs }: Fault, along: Along, untilY: number): string {
  return `<rect class="shade" x="${at(along(fromMs))}" y="${top}" width="${at(Math.max(0.5, along(toMs) - along(fromMs)))}" height="${untilY - top}"/>`;
}

function laneOf(kind: string, faults: readonly Fault[], y: number, along: Along): string {
  const bars = faults
    .filter(({ began }) => began.kind === kind)
    .map(({ began, fromMs, toMs, healed }) => `<rect class="${healed === undefined ? "unhealed" : "fault"}" x="${at(along(fromMs))}" y="${y}" width="${at(Math.max(2, along(toMs) - along(fromMs)))}" height="${laneHeight - 4}"><title>${escape(`${began.faultId}: ${kind} of ${began.target}`)}</title></rect>`);
  const [first] = faults.filter(({ began }) => began.kind === kind);
  const isLate = along(first?.fromMs ?? 0) > width / 4;
  const label = isLate ? `<text class="share" x="${at(along(first?.fromMs ?? 0) - 6)}" y="${y + 10}">${kind}</text>` : `<text x="${at(Math.max(...faults.filter(({ began }) => began.kind === kind).map(({ toMs }) => along(toMs))) + 6)}" y="${y + 10}">${kind}</text>`;
  return bars.join("") + label;
}

const at = (value: number) => value.toFixed(1);
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

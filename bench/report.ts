import { escape, page } from "./page.ts";
import { distributionPlot } from "./plot.ts";
import { type BenchResult, format } from "./result.ts";
import { changeOf, type runOf, type SavedRun } from "./saved-run.ts";

/** A run as a page of its own: the table, and of each bench how its figures are distributed. Asks nothing of any server. */
export function reportPage(run: ReturnType<typeof runOf>, before: SavedRun | undefined): string {
  const met = run.results.filter((result) => result.met).length;
  const compared = before === undefined ? "" : ` Compared with a run of ${escape(before.at.slice(0, 16).replace("T", " "))} UTC.`;
  return page(
    "Longshore: figures",
    `<header><h1>Longshore, measured</h1><p>${met} of ${run.results.length} goals met. ${escape(run.at.slice(0, 16).replace("T", " "))} UTC, ${escape(run.machine)}.${compared}</p>
<p>Each row is a ratio of medians measured in turns in one run: what Longshore takes, against the reference beside it.</p></header>
<table><thead><tr><th>bench<th>ratio<th>goal<th>ours<th>reference<th>${before === undefined ? "" : "change"}</tr></thead><tbody>
${run.results.map((result) => row(result, before)).join("\n")}
</tbody></table>
${run.results.map(section).join("\n")}`,
  );
}

function row(result: BenchResult, before: SavedRun | undefined): string {
  const { name, ratio, goal, met, ours, reference, unit } = result;
  return `<tr class="${met ? "met" : "missed"}"><th scope="row"><a href="#${name}">${name}</a><td class="ratio">${format(ratio)}<td>${escape(goal)} <span class="verdict">${met ? "met" : "missed"}</span><td>${format(ours)} ${unit}<td>${format(reference)} ${unit}<td>${changeOf(result, before)}</tr>`;
}

function section({ name, figures, unit, besides, ratios, met }: BenchResult): string {
  const keys = Object.keys(figures).map((label, index) => `<li class="${["ours", "first", "second", "third"][Math.min(index, 3)] ?? ""}">${escape(label)} <small>${figures[label]?.length ?? 0} figures</small></li>`);
  const lines = [...Object.entries(ratios ?? {}).map(([label, ratio]): [string, string] => [`against ${label}`, format(ratio)]), ...Object.entries(besides ?? {})];
  const facts = lines.map(([label, figure]) => `<div><dt>${escape(label)}<dd>${escape(figure)}</div>`);
  return `<section id="${name}" class="${met ? "met" : "missed"}"><h2>${name}</h2><ul>${keys.join("")}</ul>${distributionPlot(figures, unit)}<p class="unit">${escape(unit)}, logarithmic; upwards, the share of the figures that are at most so large</p><dl>${facts.join("")}</dl></section>`;
}

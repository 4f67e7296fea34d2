import { cpus } from "node:os";
import { escape, page } from "../page.ts";
import { format } from "../result.ts";
import { timeCurve } from "./curve.ts";
import { type Sample, trendOf } from "./memory.ts";
import type { Tally } from "./mix.ts";

/** A soak as a page: its memory and open files as curves, what was done, and what should not have come. */
export function soakPage(samples: readonly Sample[], tally: Tally, at: Date): string {
  const minutes = samples.map((sample) => sample.minutes);
  const parts = Object.keys(samples[0]?.mebibytes ?? {});
  const curve = (figure: "mebibytes" | "openFiles", title: string, unit: string) => {
    const figures = Object.fromEntries(parts.map((part) => [part, samples.map((sample) => sample[figure][part] ?? 0)]));
    const keys = parts.map((part, index) => {
      const { before, after, isFlat } = trendOf(samples, figure, part);
      return `<li class="${["ours", "first", "second", "third"][Math.min(index, 3)] ?? ""}">${escape(part)} <small>${format(before)} → ${format(after)} ${unit}, ${isFlat ? "flat" : "grown"}</small></li>`;
    });
    return `<section><h2>${title}</h2><ul>${keys.join("")}</ul>${timeCurve(minutes, figures, unit)}<p class="unit">Beside each name: the medians of the second quarter and of the last.</p></section>`;
  };
  const wrong = Object.entries(tally.wrong).map(([words, count]) => `<tr class="missed"><td>${escape(words)}<td class="ratio">${count}</tr>`);
  const done = Object.entries(tally.done).map(([name, count]) => `<tr><td>${escape(name)}<td>${count.toLocaleString("en")}</tr>`);
  return page(
    "Longshore: soak",
    `<header><h1>Longshore under load for ${format(minutes.at(-1) ?? 0)} minutes</h1><p>${escape(at.toISOString().slice(0, 16).replace("T", " "))} UTC, ${cpus().length} cores. One broker, one agent, one NATS server, each a process of its own.</p></header>
${curve("mebibytes", "resident memory", "MiB")}
${curve("openFiles", "open files and connections", "files")}
<section><h2>what was done</h2><table><tbody>${done.join("")}</tbody></table></section>
<section><h2>what should not have come</h2>${wrong.length === 0 ? "<p>Nothing.</p>" : `<table><tbody>${wrong.join("")}</tbody></table>`}</section>`,
  );
}

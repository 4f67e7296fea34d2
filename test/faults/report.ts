import { outcomes } from "@longshore/protocol";
import { escape, page } from "../../bench/page.ts";
import { arrange, type ArrangedHistory } from "./arrange.ts";
import type { Checked, Times } from "./checker.ts";
import type { HistoryEvent } from "./history.ts";
import { faultTimes } from "./invariants/recovery.ts";
import { timeline } from "./timeline.ts";
import { invariants, type Verdict, type Violation } from "./verdict.ts";

/** Violations that are shown with their events; the others are counted. */
const mostShown = 100;

const style = `
:root { color-scheme: light; --paper: #fbfaf7; --ink: #1c2730; --faint: #5c6a75; --rule: #dfe3e4; --ours: #00796b; --first: #d1793b; --second: #6b62b8; --third: #8a8f94; --met: #2e7d4f; --missed: #b5452f; }
main { max-width: 62rem; } td, tbody th { white-space: normal; vertical-align: top; } table { margin: 1rem 0 2rem; }
.headline { gap: .75rem 2.25rem; margin: 1.5rem 0 2rem; } .headline dd { font-size: 1.5rem; font-weight: 650; } .missed > dd { color: var(--missed); } .unproved .verdict { color: var(--first); }
.submitted { --line: var(--third); } .accepted { --line: var(--ours); } svg .fault { fill: var(--first); } svg .unhealed { fill: var(--missed); } svg .shade { fill: var(--first); opacity: .08; }
.succeeded { --line: #3f9c6b; } .failed { --line: #e0a03b; } .timed_out { --line: #b98b5e; } .oom_killed { --line: #8c5a3c; } .cancelled { --line: #9aa3aa; } .expired { --line: #7d8fb3; } .rejected { --line: #6b62b8; } .lost { --line: #b5452f; }
svg rect { fill: var(--line); } details { margin: .5rem 0 1rem; } pre { overflow-x: auto; font-size: .78rem; line-height: 1.4; background: #f1f0ec; padding: .6rem .8rem; border-radius: 4px; }
`;

/** A run of the fault harness as a page of its own: what was done and what came of it over time, each invariant's verdict, and what was violated. */
export function faultReport(events: readonly HistoryEvent[], checked: Checked): string {
  const history = arrange(events);
  const seed = history.opened?.seed ?? "unknown";
  return page(
    `Longshore: faults, seed ${seed}`,
    `<header><h1>Longshore under faults</h1><p>Seed ${seed}. ${escape((history.opened?.startedAt ?? "").slice(0, 16).replace("T", " "))} UTC, ${escape(history.opened?.machine ?? "")}. ${summary(history, checked)}</p></header>
${headline(checked)}
<section><h2>what happened when</h2>${keys()}${timeline(history)}<p class="unit">Minutes and seconds since the beginning. Shaded, and as bars below: faults, from injection to heal.</p></section>
<section><h2>what was checked</h2><table><thead><tr><th><th>invariant<th>checked<th>verdict</tr></thead><tbody>${checked.verdicts.map(verdictRow).join("\n")}</tbody></table></section>
${violationSection(checked.violations)}
<section><h2>faults</h2>${faultTable(history)}</section>`,
    style,
  );
}

function summary(history: ArrangedHistory, { violations, unproved }: Checked): string {
  const end = history.isClosed ? "It ended with heal and drain" : "It was broken off";
  const found = violations.length === 0 ? "nothing was violated" : `violations: ${violations.length}`;
  return `${end}; ${found}${unproved.length === 0 ? "" : `; nothing here could have violated ${unproved.join(", ")}`}.`;
}

function headline({ figures }: Checked): string {
  const zeros: [string, number][] = [
    ["accepted and lost", figures.lostAccepted],
    ["accepted, with a record too late", figures.lateAccepted],
    ["doubled terminal records", figures.doubledRecords],
    ["second starts of non-idempotent work", figures.secondStarts],
    ["wrong reasons", figures.wrongReasons],
    ["orphans 30 s after heal", figures.orphans],
  ];
  const counts: [string, string][] = [
    ["submitted", figures.submitted.toLocaleString("en")],
    ["accepted", figures.accepted.toLocaleString("en")],
    ["faults", figures.faults.toLocaleString("en")],
    ["detection, median and most", timesText(figures.detection)],
    ["recovery, median and most", timesText(figures.recovery)],
  ];
  const cells = [...counts.map(([name, value]) => `<div><dt>${name}<dd>${value}</div>`), ...zeros.map(([name, value]) => `<div class="${value === 0 ? "met" : "missed"}"><dt>${name}<dd>${value}</div>`)];
  return `<dl class="headline">${cells.join("")}</dl>`;
}

const timesText = ({ count, medianMs, mostMs }: Times) => (count === 0 ? "not measured" : `${seconds(medianMs)}, ${seconds(mostMs)}`);
const seconds = (ms: number | undefined) => (ms === undefined || !Number.isFinite(ms) ? "–" : `${(ms / 1_000).toFixed(1)} s`);

function keys(): string {
  return `<ul>${["submitted", "accepted", ...outcomes].map((name) => `<li class="${name}">${name}</li>`).join("")}</ul>`;
}

function verdictRow({ invariant, checked, violations }: Verdict): string {
  const [style, words] = violations.length > 0 ? ["missed", `violated, ${violations.length} found`] : checked === 0 ? ["unproved", "nothing to check"] : ["met", "held"];
  return `<tr class="${style}"><th scope="row">${invariant}<td>${escape(invariants[invariant])}<td>${checked.toLocaleString("en")}<td class="verdict">${words}</tr>`;
}

function violationSection(violations: readonly Violation[]): string {
  if (violations.length === 0) return "";
  const shown = violations.slice(0, mostShown).map(({ invariant, invocationId, sentence, events }) => `<p class="missed"><b class="verdict">${invariant}</b> ${escape(sentence)}${invocationId === undefined ? "" : ` <small>${escape(invocationId)}</small>`}</p><details><summary>${events.length} events</summary><pre>${events.map((event) => escape(JSON.stringify(event))).join("\n")}</pre></details>`);
  const more = violations.length > mostShown ? `<p>And ${violations.length - mostShown} more.</p>` : "";
  return `<section><h2>what was violated</h2>${shown.join("\n")}${more}</section>`;
}

function faultTable(history: ArrangedHistory): string {
  const rows = faultTimes(history).map(({ fault: { began, fromMs, toMs }, detectionMs, recoveryMs }) => `<tr><th scope="row">${escape(began.faultId)}<td>${began.kind}<td>${escape(began.target)}<td>${seconds(fromMs)}<td>${seconds(toMs - fromMs)}<td>${seconds(detectionMs)}<td>${seconds(recoveryMs)}</tr>`);
  return `<table><thead><tr><th><th>kind<th>target<th>at<th>lasted<th>noticed after<th>first success after heal</tr></thead><tbody>${rows.join("\n")}</tbody></table>`;
}

import { describe, expect, it } from "vitest";
import { checkHistory } from "./checker.ts";
import type { HistoryEvent } from "./history.ts";
import { accepted, byHand, record, run } from "./imagined/by-hand.ts";
import { imagineHistory } from "./imagined/history.ts";
import { faultReport } from "./report.ts";
import { invariants } from "./verdict.ts";

const reportOf = (history: readonly HistoryEvent[]) => faultReport(history, checkHistory(history));

describe("faultReport()", () => {
  const history = imagineHistory(3, 3);
  const report = reportOf(history);

  it("tells the seed, a verdict of every invariant, and the figures", () => {
    expect(report).toContain("Seed 3.");
    for (const sentence of Object.values(invariants)) expect(report).toContain(sentence);
    expect(report.match(/class="verdict">held/g)).toHaveLength(14);
    expect(report).toContain("It ended with heal and drain; nothing was violated.");
  });

  it("draws each fault as a bar", () => {
    const faults = history.filter(({ event }) => event === "fault_began").length;
    expect(faults).toBeGreaterThan(0);
    expect(report.match(/<rect class="fault"/g)).toHaveLength(faults);
  });

  it("asks nothing of any server, and has no figure that is none", () => {
    expect(report).not.toMatch(/(src|href)=|@import|url\(|<script/);
    expect(report).not.toMatch(/NaN|Infinity|undefined/);
  });

  it("shows what was violated with its events, and nothing of them as markup", () => {
    const wrong = byHand({ retry: "never", functionName: "<img>" }, accepted, ...run("agent-a", 1_100, 1_500, "failed"), ...run("agent-a", 12_000, 12_100), record(12_110, { attempt: 2 }));
    const told = reportOf(wrong);
    expect(told).toContain("It began 2 times, where its function allows 1");
    expect(told).toContain("violated, 1 found");
    expect(told).not.toContain("<img>");
    expect(told).toContain("&lt;img>");
  });

  it("says that an invariant was not put to the test, and that a run was broken off", () => {
    const told = reportOf(byHand({}, accepted).filter(({ event }) => event !== "closed"));
    expect(told).toContain("It was broken off");
    expect(told).toContain("nothing to check");
    expect(reportOf([])).not.toMatch(/NaN|Infinity|undefined/);
  });
});

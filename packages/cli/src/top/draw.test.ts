import type { AgentView } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { createStyle } from "../terminal/style.ts";
import { textWidth } from "../terminal/text-width.ts";
import { agentView } from "../testing/fake-fleet.ts";
import { invocationRecord } from "../testing/fake-record.ts";
import { drawSnapshot, drawTop, paneHeights } from "./draw.ts";
import { createFleetNow, takeEvent } from "./fleet-now.ts";
import { rowsOf } from "./rows.ts";
import { firstView, keyHelp, press, type View } from "./view.ts";

const nowMs = Date.parse("2026-11-25T12:00:30.000Z");
const plain = createStyle(false);

function fleetOf(agents: readonly AgentView[]) {
  const fleet = createFleetNow(nowMs - 60_000);
  for (const agent of agents) takeEvent(fleet, { event: "agent", agent }, nowMs);
  for (let nth = 1; nth <= 30; nth += 1) takeEvent(fleet, { event: "invocation", record: invocationRecord(nth, nth % 10 === 0 ? { result: { outcome: "failed" }, start: "cold" } : {}) }, nowMs);
  takeEvent(fleet, { event: "invocation", record: invocationRecord(29, { functionName: "wordcount" }) }, nowMs);
  return fleet;
}
const two = fleetOf([
  agentView({ functions: [{ revisionId: "resize-r3", running: 1, instances: 2, held: 1, freeSlots: 0 }] }),
  agentView({ agentId: "cloud-1", siteId: "cloud" }),
  agentView({ agentId: "cloud-2", siteId: "cloud", state: "lost" }),
]);
const draw = (view: Partial<View> = {}, { fleet = two, columns = 100, rows = 20, style = plain, notice = undefined as string | undefined } = {}) => {
  const looked = { ...firstView, ...view };
  return drawTop({ rows: rowsOf(fleet, looked, nowMs), view: looked, size: { columns, rows }, style, atMs: nowMs, url: "http://127.0.0.1:4270", notice });
};

describe("drawTop()", () => {
  it("shows hosts by site, functions with what becomes of them, and all of it together", () => {
    expect(draw().map((line) => line.trimEnd())).toEqual([
      `longshore top  http://127.0.0.1:4270${" ".repeat(52)}12:00:30 UTC`,
      "2 of 3 hosts ready, 2 sites  2 running, 4 idle, 2 held  memory ██████░░░░░░ 8GiB/16GiB",
      `0.5/s  failed 9.7%  p50 38ms  p99 38ms  w/h/c 90/0/10  ${" ".repeat(43)}█▆`,
      "",
      "▸ Hosts 3  by name",
      "  HOST         STATE            RUN   IDLE   HELD MEMORY",
      "▌ cloud        1/2 ready          1      2      1 ██████░░░░░░ 4GiB/8GiB",
      "    cloud-1    ready              1      2      1 ██████░░░░░░ 4GiB/8GiB",
      "    cloud-2    lost               0      0      0 ░░░░░░░░░░░░ 0B/0B",
      "  plant        1/1 ready          1      2      1 ██████░░░░░░ 4GiB/8GiB",
      "    plant-1    ready              1      2      1 ██████░░░░░░ 4GiB/8GiB",
      "",
      "  Functions 2  by rate",
      "  FUNCTION         RATE  FAILED     P50     P99    RUN     W/H/C %                   LAST 10 MINUTES",
      `  resize          0.5/s     10%    38ms    38ms      1     90/0/10 ${" ".repeat(31)}█▅`,
      `  wordcount      <0.1/s      0%    38ms    38ms      0     100/0/0 ${" ".repeat(32)}█`,
      "", "", "",
      "tab pane  ↑↓ move  / filter  s sort  p pause  ? help  q quit",
    ]);
  });

  it("fills a screen of any size and no more, in colour or without", () => {
    const many = fleetOf(Array.from({ length: 500 }, (_, nth) => agentView({ agentId: `host-${nth}`, siteId: `site-${nth % 7}` })));
    for (const fleet of [two, many, createFleetNow(nowMs)]) {
      for (const columns of [10, 40, 79, 80, 132, 300]) {
        for (const rows of [1, 3, 5, 9, 24, 60]) {
          for (const view of [{}, { pane: "functions" as const }, { isHelp: true }, { isTyping: true, filter: "x" }]) expect(draw(view, { fleet, columns, rows, style: createStyle(true) }).length).toBe(rows);
          // What stands to the right of all columns is cut by the screen; the columns themselves fit.
          for (const line of draw({}, { fleet, columns, rows }).slice(4, -1)) expect(textWidth(line)).toBeLessThanOrEqual(Math.max(columns, 30));
        }
      }
    }
  });

  it("keeps the chosen row in sight among many", () => {
    const many = fleetOf(Array.from({ length: 500 }, (_, nth) => agentView({ agentId: `host-${String(nth).padStart(3, "0")}` })));
    for (const row of [0, 1, 250, 500, 9_999]) expect(draw({ cursor: { hosts: row, functions: 0 } }, { fleet: many }).filter((line) => line.startsWith("▌"))).toHaveLength(1);
    expect(draw({ cursor: { hosts: 301, functions: 0 } }, { fleet: many }).find((line) => line.startsWith("▌"))).toContain("host-300");
  });

  it("shows what comes from elsewhere inert", () => {
    const evil = fleetOf([agentView({ agentId: "\u001b[2J\u202e", siteId: "a\nb" })]);
    takeEvent(evil, { event: "invocation", record: invocationRecord(30, { functionName: "x\u009b31m" }) }, nowMs);
    for (const lines of [draw({}, { fleet: evil, notice: "\u0007" }), drawSnapshot({ rows: rowsOf(evil, firstView, nowMs), style: plain, atMs: nowMs, url: "\u001b", notice: undefined }, 140)]) {
      expect(lines.join("")).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
    }
  });

  it("tells that it stands still, what it narrows to, and what is amiss", () => {
    expect(draw({ isPaused: true })[0]).toMatch(/paused at 12:00:30 UTC$/);
    expect(draw({ filter: "wordc" }).at(-1)).toMatch(/^filter: wordc {2}tab/);
    expect(draw({ filter: "WORDC" }).join("\n")).not.toContain("resize");
    expect(draw({}, { notice: "Nothing heard for 20s" }).at(-1)).toMatch(/^Nothing heard for 20s {2}tab/);
    expect(draw({ isHelp: true }).join("\n")).toContain(keyHelp[0]?.[1]);
  });
});

describe("paneHeights()", () => {
  it("gives each pane half, but none more than it needs", () => {
    expect(paneHeights({ hosts: 100, functions: 100 }, "hosts", 20)).toEqual({ hosts: 10, functions: 10 });
    expect(paneHeights({ hosts: 3, functions: 100 }, "hosts", 20)).toEqual({ hosts: 5, functions: 15 });
    expect(paneHeights({ hosts: 100, functions: 2 }, "hosts", 20)).toEqual({ hosts: 16, functions: 4 });
    expect(paneHeights({ hosts: 100, functions: 100 }, "functions", 6)).toEqual({ hosts: 0, functions: 6 });
  });
});

describe("press()", () => {
  const rows = { hosts: 3, functions: 20 };
  const after = (keys: Parameters<typeof press>[1][], from = firstView) => keys.reduce<View | undefined>((view, key) => (view === undefined ? undefined : press(view, key, rows)), from);
  const typed = (text: string) => Array.from(text, (character) => ({ character }));

  it("moves within the rows of the pane that is looked at", () => {
    expect(after(["down", "down", "down", "down"])?.cursor.hosts).toBe(2);
    expect(after(["up", ...typed("jjk")])?.cursor.hosts).toBe(1);
    expect(after(["tab", "page_down", "page_down"])?.cursor).toEqual({ hosts: 0, functions: 19 });
    expect(after(["end"], { ...firstView, cursor: { hosts: 90, functions: 0 } })?.cursor.hosts).toBe(2);
  });

  it("types a filter, in which letters are letters", () => {
    expect(after([...typed("/qp?"), "backspace", "enter"])).toMatchObject({ filter: "qp", isTyping: false, isPaused: false });
    expect(after([...typed("/ab"), "escape"])).toMatchObject({ filter: "", isTyping: false });
    expect(after([...typed(`/${"x".repeat(500)}`)])?.filter).toHaveLength(60);
  });

  it("sorts, stands still, helps, and leaves", () => {
    expect(after(typed("ss"))?.sort).toEqual({ hosts: "memory", functions: "rate" });
    expect(after(["tab", ...typed("ssss")])?.sort.functions).toBe("rate");
    expect(after(typed("p"))?.isPaused).toBe(true);
    expect(after(typed("??"))?.isHelp).toBe(false);
    expect(after(typed("q"))).toBeUndefined();
    expect(after([...typed("/"), "interrupt"])).toBeUndefined();
  });
});

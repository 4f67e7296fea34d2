import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHarnessClock } from "./harness-clock.ts";
import { HistoryWriter, readHistory } from "./history-file.ts";
import { imagineHistory } from "./imagined/history.ts";

let folder = "";
let path = "";
let nowNs = 5_000_000_000n;
const clock = () => createHarnessClock(() => nowNs, new Date("2026-11-28T12:00:00.000Z"));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "longshore-history-"));
  path = join(folder, "history.jsonl");
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("a history on disk", () => {
  it("is read as it was written", () => {
    const history = imagineHistory(2, 2).slice(0, 200);
    using writer = HistoryWriter.open(path, clock());
    for (const event of history) writer.write(event);
    expect(readHistory(path)).toEqual(history);
  });

  it("stamps events with the present, unless they say when they were, and fills in what was left out", () => {
    using writer = HistoryWriter.open(path, clock());
    nowNs += 250_000_000n;
    writer.write({ event: "accepted", invocationId: "a" });
    writer.write({ event: "began", atMs: 12.5, invocationId: "a", runId: "r", agentId: "plant-a" });
    expect(readHistory(path)).toEqual([
      { event: "accepted", atMs: 250, invocationId: "a", call: 0 },
      { event: "began", atMs: 12.5, invocationId: "a", runId: "r", agentId: "plant-a" },
    ]);
  });

  it("refuses what is no event, naming the field, and writes nothing of it", () => {
    using writer = HistoryWriter.open(path, clock());
    expect(() => writer.write({ event: "accepted", invocationId: "" })).toThrow("invocationId");
    expect(() => writer.write({ event: "closed", atMs: Number.NaN })).toThrow("atMs");
    expect(readFileSync(path, "utf8")).toBe("");
  });

  it("is read up to where its harness was killed", () => {
    using writer = HistoryWriter.open(path, clock());
    writer.write({ event: "accepted", invocationId: "a" });
    appendFileSync(path, '{"event":"closed","atM');
    expect(readHistory(path)).toHaveLength(1);
  });

  it("names file, line and field of what it cannot read", () => {
    appendFileSync(path, '{"event":"closed","atMs":1}\n{"event":"closed","atMs":1,"more":2}\n');
    expect(() => readHistory(path)).toThrow(/history\.jsonl, line 2: .*more/);
    appendFileSync(`${path}.torn`, "not JSON\n");
    expect(() => readHistory(`${path}.torn`)).toThrow("line 1");
  });

  it("is never written over", () => {
    using _ = HistoryWriter.open(path, clock());
    expect(() => HistoryWriter.open(path, clock())).toThrow("EEXIST");
  });
});

describe("the harness's clock", () => {
  it("knows what other processes read from the monotonic and from the wall clock", () => {
    nowNs = 7_000_000_000n;
    const harness = clock();
    expect(harness.ofMonotonic(7_001_500_000n)).toBe(1.5);
    expect(harness.ofDate("2026-11-28T12:00:02.250Z")).toBe(2_250);
  });
});

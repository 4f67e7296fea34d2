import { describe, expect, it } from "vitest";
import { LogRing } from "./log-ring.ts";
import { logLine } from "./testing/log-line.ts";

const all = () => true;
/** The last lines, oldest first. */
const texts = (ring: LogRing, count = Number.POSITIVE_INFINITY, isWanted: Parameters<LogRing["tail"]>[1] = all) => {
  const { from } = ring.tail(count, isWanted);
  return Array.from({ length: ring.end - from }, (_, index) => ring.at(from + index)).flatMap((line) => (line !== undefined && isWanted(line) ? [line.line] : []));
};

describe("LogRing", () => {
  it("gives the last lines, oldest first, and tells when those are all", () => {
    const ring = new LogRing(100_000);
    for (const word of ["one", "two", "three"]) ring.append(logLine(word));
    expect(texts(ring)).toEqual(["one", "two", "three"]);
    expect(texts(ring, 2)).toEqual(["two", "three"]);
    expect(texts(ring, 0)).toEqual([]);
    expect([2, 3, 4].map((count) => ring.tail(count, all).isAll)).toEqual([false, false, true]);
  });

  it("counts only the lines that are wanted", () => {
    const ring = new LogRing(100_000);
    for (let index = 0; index < 10; index += 1) ring.append(logLine(String(index), { stream: index % 2 === 0 ? "stdout" : "stderr" }));
    expect(texts(ring, 2, ({ stream }) => stream === "stderr")).toEqual(["7", "9"]);
  });

  it("forgets the oldest so as to stay within its bound, after any number of lines, and counts them", () => {
    const lineBytes = 10 * 2 + 200;
    const ring = new LogRing(50 * lineBytes);
    const kept: number[] = [];
    for (let index = 0; index < 5_000; index += 1) {
      ring.append(logLine(String(index).padStart(10, "0")));
      kept.push(texts(ring).length);
      expect(ring.bytes).toBeLessThanOrEqual(50 * lineBytes);
    }
    expect(kept).toEqual(kept.map((_, index) => Math.min(index + 1, 50)));
    expect(texts(ring, 2).map(Number)).toEqual([4_998, 4_999]);
    expect({ cut: ring.cutLines(), lastCut: ring.lastCut?.line, before: ring.at(4_949), first: ring.at(4_950)?.line }).toEqual({ cut: 4_950, lastCut: "0000004949", before: undefined, first: "0000004950" });
  });

  it("keeps nothing of a line that is larger than the bound", () => {
    const ring = new LogRing(1_000);
    ring.append(logLine("small"));
    ring.append(logLine("x".repeat(10_000)));
    expect(texts(ring)).toEqual([]);
    ring.append(logLine("small again"));
    expect(texts(ring)).toEqual(["small again"]);
  });

  it("remembers of which invocations it cut lines, of the last few", () => {
    const ring = new LogRing(0);
    for (const invocationId of ["a", "a", "b"]) ring.append(logLine("x", { invocationId }));
    expect(["a", "b", "c"].map((id) => ring.cutLines(id))).toEqual([2, 1, 0]);
    for (let index = 0; index < 256; index += 1) ring.append(logLine("x", { invocationId: String(index) }));
    expect(["a", "b", "255"].map((id) => ring.cutLines(id))).toEqual([0, 0, 1]);
  });
});

import { describe, expect, it } from "vitest";
import { LogRing } from "./log-ring.ts";
import { logLine } from "./testing/log-line.ts";

const all = () => true;
const texts = (ring: LogRing, count = Number.POSITIVE_INFINITY) => ring.tail(count, all).map(({ line }) => line);

describe("LogRing", () => {
  it("gives the last lines, oldest first", () => {
    const ring = new LogRing(100_000);
    for (const word of ["one", "two", "three"]) ring.append(logLine(word));
    expect(texts(ring)).toEqual(["one", "two", "three"]);
    expect(texts(ring, 2)).toEqual(["two", "three"]);
    expect(texts(ring, 0)).toEqual([]);
  });

  it("counts only the lines that are wanted", () => {
    const ring = new LogRing(100_000);
    for (let index = 0; index < 10; index += 1) ring.append(logLine(String(index), { stream: index % 2 === 0 ? "stdout" : "stderr" }));
    expect(ring.tail(2, ({ stream }) => stream === "stderr").map(({ line }) => line)).toEqual(["7", "9"]);
  });

  it("forgets the oldest so as to stay within its bound, after any number of lines", () => {
    const lineBytes = 10 * 2 + 200;
    const ring = new LogRing(50 * lineBytes);
    const kept: number[] = [];
    for (let index = 0; index < 5_000; index += 1) {
      ring.append(logLine(String(index).padStart(10, "0")));
      kept.push(texts(ring).length);
    }
    expect(kept).toEqual(kept.map((_, index) => Math.min(index + 1, 50)));
    expect(texts(ring, 2).map(Number)).toEqual([4_998, 4_999]);
  });

  it("keeps nothing of a line that is larger than the bound", () => {
    const ring = new LogRing(1_000);
    ring.append(logLine("small"));
    ring.append(logLine("x".repeat(10_000)));
    expect(texts(ring)).toEqual([]);
    ring.append(logLine("small again"));
    expect(texts(ring)).toEqual(["small again"]);
  });

  it("tells its followers, until they leave", () => {
    const ring = new LogRing(1_000);
    const heard: string[] = [];
    const leave = ring.follow(({ line }) => heard.push(line));
    expect(ring.isFollowed).toBe(true);
    ring.append(logLine("one"));
    leave();
    ring.append(logLine("two"));
    expect({ heard, isFollowed: ring.isFollowed }).toEqual({ heard: ["one"], isFollowed: false });
  });
});

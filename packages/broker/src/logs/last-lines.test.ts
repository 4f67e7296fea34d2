import type { LogLine } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { LastLines } from "./last-lines.ts";

const line = (at: number, text = String(at)) => ({ at: new Date(at).toISOString(), line: text, instanceId: "i", stream: "stdout" }) as LogLine;
const texts = (lines: LastLines) => lines.lines().map(({ line: text }) => text);

describe("LastLines", () => {
  it("keeps the last ones by time, whoever brings them in which order", () => {
    const lines = new LastLines(3);
    for (let at = 0; at < 1_000; at += 1) lines.add(line((at * 7_919) % 1_000));
    expect(texts(lines)).toEqual(["997", "998", "999"]);
    expect(texts(new LastLines(3))).toEqual([]);
  });

  it("keeps within its memory, and says where that cost lines", () => {
    const lines = new LastLines(1_000, 50 * 600);
    for (let at = 0; at < 1_000; at += 1) lines.add(line(at, String(at).padStart(100)));
    const kept = texts(lines);
    expect(kept.length).toBeGreaterThan(20);
    expect(kept.length).toBeLessThan(55);
    expect(kept[0]).toBe(`… ${1_000 - kept.length + 1} earlier lines cut here: more than one answer holds`);
    expect(kept.at(-1)?.trim()).toBe("999");
  });

  it("says nothing where as many lines were kept as were asked for", () => {
    const lines = new LastLines(5, 50 * 600);
    for (let at = 0; at < 1_000; at += 1) lines.add(line(at, String(at).padStart(100)));
    expect(texts(lines)).toHaveLength(5);
  });
});

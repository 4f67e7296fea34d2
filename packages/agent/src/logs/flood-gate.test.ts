import { describe, expect, it } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { FloodBudget, FloodGate } from "./flood-gate.ts";
import { cutMark } from "./line-splitter.ts";

function scene() {
  const clock = new ManualClock();
  const budget = new FloodBudget(clock);
  const gate = () => {
    const lines: string[] = [];
    const flood = new FloodGate({ clock, budget, onLine: (line) => lines.push(line), onCut: (bytes) => lines.push(`cut ${bytes}`) });
    return { lines, push: (text: string) => flood.push(Buffer.from(text)), flood };
  };
  return { clock, gate };
}

const line = `${"x".repeat(99)}\n`;
const mebibyte = 2 ** 20;

describe("FloodGate", () => {
  it("passes what a program writes in ordinary measure as it comes", () => {
    const { clock, gate } = scene();
    const { lines, push } = gate();
    for (let second = 0; second < 20; second += 1) {
      push(line.repeat(300));
      clock.advance(100);
    }
    expect(lines).toHaveLength(6_000);
    expect(clock.pending).toBe(0);
  });

  it("cuts of a flood what is beyond its share, says how much, and gives its last words", () => {
    const { clock, gate } = scene();
    const { lines, push } = gate();
    const text = line.repeat(100_000);
    push(text);
    push("last words\n");
    const before = lines.length;
    expect(before * line.length).toBeLessThan(2 * mebibyte);
    clock.advance(100);
    const cut = lines.find((each) => each.startsWith("cut "));
    const passed = lines.filter((each) => !each.startsWith("cut ")).reduce((sum, each) => sum + each.replace(cutMark, "").length + (each.endsWith(cutMark) ? 0 : 1), 0);
    expect(Number(cut?.slice(4)) + passed).toBe(text.length + "last words\n".length);
    expect(lines.at(-1)).toBe("last words");
    push("afterwards\n");
    expect(lines.at(-1)).toBe("afterwards");
    expect(clock.pending).toBe(0);
  });

  it("makes few lines of a flood of empty ones", () => {
    const { gate } = scene();
    const { lines, push } = gate();
    push("\n".repeat(10 * mebibyte));
    expect(lines.length).toBeLessThan(30_000);
  });

  it("leaves every other stream its own share while one floods", () => {
    const { gate } = scene();
    gate().push(line.repeat(100_000));
    const quiet = gate();
    quiet.push(line.repeat(100));
    expect(quiet.lines).toHaveLength(100);
  });

  it("loses nothing where all that it held back are a few last words", () => {
    const { clock, gate } = scene();
    gate().push(line.repeat(100_000));
    const { lines, push } = gate();
    for (let passed = -1; passed !== lines.length; push(line)) passed = lines.length; // Until one does not pass.
    const passed = lines.length;
    push("unfin");
    expect(lines).toHaveLength(passed);
    clock.advance(100);
    push("ished\n");
    expect(lines.slice(passed)).toEqual([line.trimEnd(), "unfinished"]);
  });

  it("tells when it is flushed what it cut, and keeps no timer", () => {
    const { clock, gate } = scene();
    const { lines, push, flood } = gate();
    push(line.repeat(100_000));
    push("the reason");
    flood.flush();
    expect(lines.at(-1)).toBe("the reason");
    expect(lines.filter((each) => each.startsWith("cut "))).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it("ends a line that was under way when the cut came, with its mark", () => {
    const { gate } = scene();
    const { lines, push, flood } = gate();
    push("y".repeat(3 * mebibyte));
    push(`\nnext\n`);
    flood.flush();
    const at = lines.findIndex((each) => each.startsWith("cut "));
    expect(lines[at - 1]).toMatch(/cut\]$/);
    expect(lines.slice(at + 1)).toEqual(["next"]);
  });
});

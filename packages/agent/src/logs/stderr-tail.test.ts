import { describe, expect, it } from "vitest";
import { StderrTail, stderrTailBytes } from "./stderr-tail.ts";

function tailOf(...pieces: (string | Uint8Array)[]): string | undefined {
  const tail = new StderrTail();
  for (const piece of pieces) tail.push(Buffer.from(piece));
  return tail.text();
}

describe("StderrTail", () => {
  it("is what was written, while that is short", () => {
    expect(tailOf("one\n", "two\n")).toBe("one\ntwo\n");
    expect(tailOf("x".repeat(stderrTailBytes))).toBe("x".repeat(stderrTailBytes));
  });

  it("is nothing when nothing was written", () => {
    expect(tailOf()).toBeUndefined();
    expect(tailOf("")).toBeUndefined();
  });

  it("is the end of what was written, whatever the pieces", () => {
    const text = Array.from({ length: 5_000 }, (_, line) => `line ${line}\n`).join("");
    const end = text.slice(-stderrTailBytes);
    expect(tailOf(text)).toBe(end);
    expect(tailOf(...text.match(/[^]{1,7}/g)!)).toBe(end);
    expect(tailOf(text.slice(0, -1), text.slice(-1))).toBe(end);
  });

  it("begins with a whole character", () => {
    const text = "🛟".repeat(2_000);
    for (const more of ["", "x", "xx", "xxx"]) {
      const tail = tailOf(text + more)!;
      expect(tail).toMatch(/^(?:🛟)+x*$/u);
      expect(Buffer.byteLength(tail)).toBeGreaterThan(stderrTailBytes - 4);
    }
  });

  it("can be asked for in between", () => {
    const tail = new StderrTail();
    tail.push(Buffer.from("one "));
    expect(tail.text()).toBe("one ");
    tail.push(Buffer.from("two"));
    expect(tail.text()).toBe("one two");
  });

  it("keeps nothing of the buffers it was given", () => {
    const reused = Buffer.from("words");
    const tail = new StderrTail();
    tail.push(reused);
    reused.fill("#");
    expect(tail.text()).toBe("words");
  });
});

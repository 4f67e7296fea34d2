import { describe, expect, it } from "vitest";
import { seededRandom } from "../testing/random.ts";
import { cutMark, LineSplitter, maxLineBytes } from "./line-splitter.ts";

/** The lines of what came in these pieces, without and with those of its end. */
function split(...pieces: (string | Uint8Array)[]): { lines: string[]; atEnd: string[] } {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const piece of pieces) splitter.push(Buffer.from(piece));
  const before = lines.length;
  splitter.end();
  return { lines: lines.slice(0, before), atEnd: lines.slice(before) };
}

describe("LineSplitter", () => {
  it("gives each line as soon as it is whole, and what is left at the end", () => {
    expect(split("one\ntw", "o\n", "\nthree")).toEqual({ lines: ["one", "two", ""], atEnd: ["three"] });
    expect(split("one\n")).toEqual({ lines: ["one"], atEnd: [] });
    expect(split("")).toEqual({ lines: [], atEnd: [] });
  });

  it("takes off the carriage return of a line break, and no other", () => {
    expect(split("one\r\n", "t\rwo\r", "\n", "50%\rthree\r")).toEqual({ lines: ["one", "t\rwo"], atEnd: ["50%\rthree"] });
  });

  it("puts characters together that were cut in two", () => {
    const bytes = Buffer.from("grün 🛟\n");
    for (let at = 0; at <= bytes.length; at += 1) expect(split(bytes.subarray(0, at), bytes.subarray(at)).lines).toEqual(["grün 🛟"]);
  });

  it("replaces what is no UTF-8, and goes on", () => {
    expect(split(Uint8Array.of(0x61, 0xff, 0x62, 0x0a, 0xc3, 0x0a, 0x63, 0x0a)).lines).toEqual(["a\ufffdb", "\ufffd", "c"]);
  });

  it("cuts a line that is too long, says so, and gives the rest as lines of their own", () => {
    const long = "x".repeat(maxLineBytes);
    expect(split(`${long}\n`).lines).toEqual([long]);
    expect(split(`${long}y\n`).lines).toEqual([long + cutMark, "y"]);
    expect(split(long, long, "y", "\nnext\n").lines).toEqual([long + cutMark, long + cutMark, "y", "next"]);
  });

  it("does not cut within a character", () => {
    const long = `${"x".repeat(maxLineBytes - 2)}🛟`;
    expect(split(`${long}\n`).lines).toEqual([`${"x".repeat(maxLineBytes - 2)}${cutMark}`, "🛟"]);
  });

  it("cuts within bytes that are no characters rather than not at all", () => {
    const { lines } = split(Buffer.alloc(3 * maxLineBytes, 0x80), "\n");
    expect(lines).toHaveLength(3);
    expect(lines[0]).toHaveLength(maxLineBytes + cutMark.length);
  });

  it("keeps nothing of the buffers it was given", () => {
    const reused = Buffer.from("first ");
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line));
    splitter.push(reused);
    reused.fill("#");
    splitter.push(Buffer.from("second\n"));
    expect(lines).toEqual(["first second"]);
  });

  it("loses no byte, however its input is cut", () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const random = seededRandom(seed);
      const text = Array.from({ length: 30 }, () => "äx".repeat(Math.floor(random() ** 4 * 20_000))).join("\n");
      const bytes = Buffer.from(text);
      const pieces: Buffer[] = [];
      for (let at = 0; at < bytes.length; ) {
        const length = 1 + Math.floor(random() ** 2 * 9_000);
        pieces.push(bytes.subarray(at, at + length));
        at += length;
      }
      const { lines, atEnd } = split(...pieces);
      const joined = [...lines, ...atEnd].map((line) => (line.endsWith(cutMark) ? line.slice(0, -cutMark.length) : `${line}\n`)).join("");
      expect(joined.trimEnd() === text.trimEnd(), `seed ${seed}`).toBe(true);
      expect(Math.max(...lines.map((line) => Buffer.byteLength(line))), `seed ${seed}`).toBeLessThanOrEqual(maxLineBytes + Buffer.byteLength(cutMark));
    }
  });
});

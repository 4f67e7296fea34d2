import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { createFakeTerminal } from "../testing/fake-terminal.ts";
import { fitStyled } from "./fit-styled.ts";
import { createFrame } from "./frame.ts";
import { type Key, readKeys } from "./keys.ts";
import { createPacer } from "./pacer.ts";
import { openScreen } from "./screen.ts";
import { condense, sparkline } from "./sparkline.ts";
import { textWidth } from "./text-width.ts";

describe("createFrame()", () => {
  const size = { columns: 5, rows: 3 };

  it("writes lines that differ, and nothing where none does", () => {
    const frame = createFrame();
    expect(frame(["one", "two"], size)).toBe("\u001b[?2026h\u001b[2J\u001b[1;1H\u001b[2Kone\u001b[2;1H\u001b[2Ktwo\u001b[3;1H\u001b[2K\u001b[?2026l");
    expect(frame(["one", "two"], size)).toBe("");
    expect(frame(["one", "2", "three and more"], size)).toBe("\u001b[?2026h\u001b[2;1H\u001b[2K2\u001b[3;1H\u001b[2Kthre…\u001b[?2026l");
  });

  it("writes a screen of another size anew, and never beyond it", () => {
    const frame = createFrame();
    frame(["one", "two", "three", "four"], size);
    expect(frame(["one", "two", "three", "four"], { columns: 4, rows: 2 })).toBe("\u001b[?2026h\u001b[2J\u001b[1;1H\u001b[2Kone\u001b[2;1H\u001b[2Ktwo\u001b[?2026l");
  });
});

describe("fitStyled()", () => {
  it("cuts what is shown, and ends every colour that it began", () => {
    expect(fitStyled("\u001b[31mabcdef\u001b[39mgh", 4)).toBe("\u001b[31mabc…\u001b[39m");
    expect(fitStyled("ab\u001b[31mcd\u001b[39m", 4)).toBe("ab\u001b[31mcd\u001b[39m");
    for (let columns = 0; columns < 12; columns += 1) expect(textWidth(fitStyled("a\u001b[1m日本\u001b[22m語 \u001b[2mxyz\u001b[22m", columns))).toBeLessThanOrEqual(columns);
  });
});

describe("readKeys()", () => {
  it("knows keys in what comes at once, and leaves out what means nothing", () => {
    expect(readKeys("j\u001b[A\u001b[6~\t\r\u007f\u0003é🚀")).toEqual([{ character: "j" }, "up", "page_down", "tab", "enter", "backspace", "interrupt", { character: "é" }, { character: "🚀" }]);
    expect(readKeys("\u001b")).toEqual(["escape"]);
    expect(readKeys("\u001b[200~\u001b[1;5C\u0000\u202e\u001b[Z")).toEqual(["back_tab"]);
  });
});

describe("createPacer()", () => {
  it("acts at once, then no more often than it may, and never forgets", () => {
    let [nowMs, acted] = [0, 0];
    const waiting: { call: () => void; atMs: number }[] = [];
    const pacer = createPacer({ leastMs: 250, act: () => (acted += 1), now: () => nowMs, later: (call, ms) => (waiting.push({ call, atMs: nowMs + ms }), () => void waiting.pop()) });
    for (; nowMs <= 1_000; nowMs += 10) {
      pacer.ask();
      if (waiting[0] !== undefined && waiting[0].atMs <= nowMs) waiting.shift()?.call();
    }
    expect(acted).toBe(5);
    pacer.ask();
    expect(waiting).toHaveLength(1);
    pacer.stop();
    pacer.ask();
    expect(waiting).toHaveLength(0);
    expect(acted).toBe(5);
  });
});

describe("sparkline()", () => {
  it("plots from nothing to the most", () => {
    expect(sparkline([0, 1, 4, 8])).toBe(" ▂▅█");
    expect(sparkline([0, 0])).toBe("  ");
    expect(sparkline([])).toBe("");
  });

  it("condense() adds neighbours up, the latest last", () => {
    expect(condense([1, 2, 3, 4, 5], 3)).toEqual([1, 5, 9]);
    expect(condense([1, 2], 3)).toEqual([1, 2]);
    expect(condense([1], 0)).toEqual([]);
  });
});

describe("openScreen()", () => {
  it("takes the terminal, tells of keys and sizes, and gives it back as it was, once", () => {
    const fake = createFakeTerminal({ isTerminal: true });
    const raw: boolean[] = [];
    const input = Object.assign(new EventEmitter(), { setRawMode: (isRaw: boolean) => raw.push(isRaw), pause: () => undefined }) as unknown as typeof fake.terminal.input;
    const ends: (() => void)[] = [];
    const keys: Key[] = [];
    let resized = 0;
    const screen = openScreen({ ...fake.terminal, input, isInputTerminal: true, onProcessEnd: (act) => (ends.push(act), () => void ends.pop()) }, { onKey: (key) => keys.push(key), onResize: () => (resized += 1) });
    screen.draw(["hello"]);
    input.emit("data", Buffer.from("q"));
    fake.terminal.out.emit("resize");
    expect({ keys, resized, raw, ends: ends.length }).toEqual({ keys: [{ character: "q" }], resized: 1, raw: [true], ends: 1 });
    ends[0]?.();
    screen.close();
    screen.draw(["late"]);
    expect(raw).toEqual([true, false]);
    expect(input.listenerCount("data") + fake.terminal.out.listenerCount("resize")).toBe(0);
    expect(fake.stdout()).toMatch(/^\u001b\[\?1049h\u001b\[\?25l.*hello.*\u001b\[\?25h\u001b\[\?1049l$/s);
    expect(fake.stdout()).not.toContain("late");
  });
});

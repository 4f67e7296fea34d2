import { describe, expect, it } from "vitest";
import { inert, inertJson, inertLines, maxShownCharacters } from "./inert.ts";
import { formatAge, formatBytes, formatDuration } from "./quantity.ts";
import { createStyle, wantsColour } from "./style.ts";
import { renderTable } from "./table.ts";
import { fitWidth, textWidth } from "./text-width.ts";

describe("inert()", () => {
  it("shows what would move the cursor, colour, reorder or hide", () => {
    expect(inert("\u001b[31mred\u0007\r\n")).toBe("\\x1b[31mred\\x07\\x0d\\x0a");
    expect(inert("a\u202eb\u200bc\u009b\u{e0041}")).toBe("a\\u202eb\\u200bc\\x9b\\u{e0041}");
  });

  it("leaves text of any script, and tabs, as they are", () => {
    expect(inert("Grüße\t日本語 🚀 नमस्ते")).toBe("Grüße\t日本語 🚀 नमस्ते");
  });

  it("shows what is no character, what shows nothing, and what only comes out as another order", () => {
    expect(inert("\ud800a\u061c\u00ad\u180e\u3164\u{e0100}\ufff9")).toBe("\\ud800a\\u061c\\xad\\u180e\\u3164\\u{e0100}\\ufff9");
    expect(inert("\u0605 \u06dd ❤\ufe0f")).toBe("\u0605 \u06dd ❤\ufe0f");
  });

  it("ends a tower of marks before it covers other lines", () => {
    expect(inert(`a${"\u0301".repeat(500)}b`)).toBe(`a${"\u0301".repeat(8)}…b`);
  });

  it("cuts an overlong line, never within a character, and says by how much", () => {
    expect(inert(`${"x".repeat(maxShownCharacters)}yz`)).toBe(`${"x".repeat(maxShownCharacters)}… [2 more characters cut here]`);
    expect(inert("ab🚀", 3)).toBe("ab… [2 more characters cut here]");
    expect(inert("ab🚀", Infinity)).toBe("ab🚀");
    expect(inertLines(`${"x".repeat(maxShownCharacters + 1)}\nb`)).toMatch(/… \[1 more characters cut here\]\nb$/);
  });

  it("keeps line ends where asked to", () => {
    expect(inertLines("a\r\nb\u001b\n")).toBe("a\nb\\x1b\n");
  });
});

describe("inertJson()", () => {
  it("is the same value, shown still", () => {
    const value = { line: "\u009b2J\u202e\u{e0041}🚀\n" };
    const text = inertJson(value);
    expect(text).toBe('{"line":"\\u009b2J\\u202e\\udb40\\udc41🚀\\n"}');
    expect(JSON.parse(text)).toEqual(value);
  });
});

describe("textWidth()", () => {
  it.each([["abc", 3], ["日本", 4], ["é", 1], ["e\u0301", 1], ["🚀", 2], ["👩‍🚀", 2], ["\u001b[31mred\u001b[39m", 3], ["한", 2], ["", 0]])("of %j is %i", (text, width) => {
    expect(textWidth(text)).toBe(width);
  });
});

describe("fitWidth()", () => {
  it("cuts at columns, never in the middle of a wide character", () => {
    expect(fitWidth("abcdef", 4)).toBe("abc…");
    expect(fitWidth("日本語", 4)).toBe("日…");
    expect(fitWidth("abc", 3)).toBe("abc");
  });
});

describe("renderTable()", () => {
  const columns = [
    { title: "NAME", cell: (row: { name: string; count: number }) => row.name },
    { title: "COUNT", cell: (row: { name: string; count: number }) => String(row.count), align: "right" as const },
  ];

  it("aligns by what a terminal shows", () => {
    const text = renderTable(columns, [{ name: "日本", count: 5 }, { name: "abc", count: 12345 }, { name: "", count: 0 }], createStyle(false));
    expect(text.split("\n")).toEqual(["NAME  COUNT", "日本      5", "abc   12345", "-         0"]);
  });

  it("keeps remote text to its one line", () => {
    expect(renderTable(columns, [{ name: "a\nb\u001b[2J", count: 1 }], createStyle(false)).split("\n")).toHaveLength(2);
  });
});

describe("wantsColour()", () => {
  it("is for terminals that can, unless NO_COLOR says no", () => {
    expect(wantsColour(true, { TERM: "xterm" })).toBe(true);
    expect(wantsColour(false, { TERM: "xterm" })).toBe(false);
    expect(wantsColour(true, { NO_COLOR: "1" })).toBe(false);
    expect(wantsColour(true, { NO_COLOR: "" })).toBe(true);
    expect(wantsColour(true, { TERM: "dumb" })).toBe(false);
    expect(wantsColour(false, { FORCE_COLOR: "1" })).toBe(true);
  });
});

describe("quantities", () => {
  it.each([[0, "0B"], [512, "512B"], [268435456, "256MiB"], [1610612736, "1.5GiB"], [1234, "1.2KiB"], [2 ** 50, "1024TiB"]])("bytes %i are %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([[0.42, "0.4ms"], [38.4, "38ms"], [1200, "1.2s"], [30_000, "30s"], [300_000, "5m"], [5_400_000, "1h30m"], [3_600_000, "1h"]])("a duration of %d ms is %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it("ages are in the largest whole unit, and never negative", () => {
    const now = Date.parse("2026-01-10T00:00:00Z");
    expect(formatAge("2026-01-09T23:59:30Z", now)).toBe("30s");
    expect(formatAge("2026-01-09T21:00:00Z", now)).toBe("3h");
    expect(formatAge("2026-01-01T00:00:00Z", now)).toBe("9d");
    expect(formatAge("2026-01-10T00:00:09Z", now)).toBe("0s");
    expect(formatAge("never", now)).toBe("-");
  });
});

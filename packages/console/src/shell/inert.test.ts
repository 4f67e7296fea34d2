import { describe, expect, it } from "vitest";
import { cut, inert, piecesOf } from "./inert.ts";

describe("piecesOf()", () => {
  it("leaves plain text, tabs, line feeds and other scripts whole", () => {
    expect(piecesOf("a\tb\nשלום 日本 👍")).toEqual([{ text: "a\tb\nשלום 日本 👍" }]);
    expect(piecesOf("")).toEqual([]);
    expect(piecesOf("a\r\nb")).toEqual([{ text: "a\nb" }]);
  });

  it("shows what would move the cursor, reorder or hide", () => {
    expect(piecesOf("x\u001b[31my\u202egpj.exe\u200b\u009b\u{e0041}")).toEqual([
      { text: "x" }, { mark: "ESC", title: "U+001B escape" }, { text: "[31my" }, { mark: "U+202E", title: "U+202E right-to-left override" }, { text: "gpj.exe" },
      { mark: "U+200B", title: "U+200B zero-width space" }, { mark: "U+009B", title: "U+009B" }, { mark: "U+E0041", title: "U+E0041" },
    ]);
  });

  it("leaves markup as the text that it is", () => {
    expect(piecesOf("<img src=x onerror=alert(1)>")).toEqual([{ text: "<img src=x onerror=alert(1)>" }]);
  });
});

describe("inert()", () => {
  it("is one string without a character that does something", () => {
    expect(inert("a\u0000b\u2067c")).toBe("a⟨NUL⟩b⟨U+2067⟩c");
  });
});

describe("cut()", () => {
  it("says how much it left out, and halves no character", () => {
    expect(cut("abc", 3)).toEqual({ shown: "abc", hidden: 0 });
    expect(cut("ab👍c", 3)).toEqual({ shown: "ab", hidden: 3 });
    expect(cut("x".repeat(5_000_000), 2_000).hidden).toBe(4_998_000);
  });
});

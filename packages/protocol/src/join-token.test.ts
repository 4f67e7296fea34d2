import { describe, expect, it } from "vitest";
import { formatJoinToken, type JoinToken, parseJoinToken } from "./join-token.ts";

const token: JoinToken = { v: 1, urls: ["https://broker.example:4270"], caSha256: "ab".repeat(32), id: "t1", secret: "s-_3" };

describe("a join token", () => {
  it("is one word that reads back as it was", () => {
    const text = formatJoinToken(token);
    expect(text).toMatch(/^lsj_[A-Za-z0-9_-]+$/);
    expect(parseJoinToken(` ${text}\n`)).toEqual(token);
  });

  it.each([
    ["another word", "lsk_abc"],
    ["a token cut short", formatJoinToken(token).slice(0, 40)],
    ["a token without an address", formatJoinToken({ ...token, urls: [] })],
    ["an address that is no web address", formatJoinToken({ ...token, urls: ["file:///etc/passwd"] })],
  ])("is refused when it is %s", (_, text) => {
    expect(() => parseJoinToken(text)).toThrow(expect.objectContaining({ reason: "token_invalid", field: "token" }));
  });
});

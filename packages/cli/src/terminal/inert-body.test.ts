import { describe, expect, it } from "vitest";
import { inertBody, maxBodyLineCharacters } from "./inert-body.ts";

/** What a terminal is given of these chunks. */
async function shown(...chunks: (string | Uint8Array)[]): Promise<string> {
  const written: Uint8Array[] = [];
  const body = (async function* () {
    await Promise.resolve();
    for (const chunk of chunks) yield typeof chunk === "string" ? Buffer.from(chunk) : chunk;
  })();
  for await (const bytes of inertBody(body)) written.push(bytes);
  return Buffer.concat(written).toString();
}

describe("inertBody()", () => {
  it("leaves text, its lines and tabs as they are", async () => {
    expect(await shown("Grüße\t日本語 🚀\n", "two\r\nthree")).toBe("Grüße\t日本語 🚀\ntwo\nthree");
  });

  it("makes escapes visible, wherever the chunks divide them", async () => {
    expect(await shown("\u001b", "]0;owned\u0007", "\u009b2J\r", "x\u202e\u0000")).toBe("\\x1b]0;owned\\x07\\x9b2J\\x0dx\\u202e\\x00");
  });

  it("puts characters and line ends together that chunks divide, and marks what is no UTF-8", async () => {
    const rocket = Buffer.from("🚀");
    expect(await shown(rocket.subarray(0, 2), rocket.subarray(2), "\r", "\nend", Uint8Array.of(0xff), "\r")).toBe("🚀\nend\ufffd\\x0d");
  });

  it("cuts each overlong line, and says by how much", async () => {
    const long = "x".repeat(maxBodyLineCharacters);
    expect(await shown(`${long}ab`, "c\nshort\n", long, "d")).toBe(`${long}… [3 more characters cut here]\nshort\n${long}… [1 more characters cut here]`);
  });
});

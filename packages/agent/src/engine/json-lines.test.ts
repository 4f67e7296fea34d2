import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { readJsonLines } from "./json-lines.ts";

async function readAll(chunks: Uint8Array[]): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of readJsonLines(Readable.from(chunks))) values.push(value);
  return values;
}

describe("readJsonLines()", () => {
  const text = Buffer.from('{"a":"é"}\r\n\n{"b":2}\n{"c":3}');

  it("reads values wherever the stream is cut, also a last one without a line's end", async () => {
    for (let cut = 0; cut <= text.length; cut++) expect(await readAll([text.subarray(0, cut), text.subarray(cut)])).toEqual([{ a: "é" }, { b: 2 }, { c: 3 }]);
  });

  it("throws on what is not JSON", async () => {
    await expect(readAll([Buffer.from("{\n")])).rejects.toThrow(SyntaxError);
  });
});

import { describe, expect, it } from "vitest";
import { createFrameReader } from "./stream-frames.ts";

function frame(stream: number, payload: string): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(stream, 0);
  header.writeUInt32BE(Buffer.byteLength(payload), 4);
  return Buffer.concat([header, Buffer.from(payload)]);
}

function readAll(chunks: readonly Uint8Array[]) {
  const got = { stdout: "", stderr: "", engine: "" };
  const reader = createFrameReader({
    onStdout: (bytes) => void (got.stdout += Buffer.from(bytes).toString()),
    onStderr: (bytes) => void (got.stderr += Buffer.from(bytes).toString()),
    onEngineError: (text) => void (got.engine += text),
  });
  for (const chunk of chunks) reader.read(chunk);
  return { ...got, atBoundary: reader.atBoundary };
}

describe("createFrameReader()", () => {
  const wire = Buffer.concat([frame(1, "one"), frame(2, "two"), frame(1, ""), frame(2, "three"), frame(1, "four")]);

  it("takes the streams apart wherever the wire is cut", () => {
    for (let first = 0; first <= wire.length; first++) {
      for (let second = first; second <= wire.length; second++) {
        const chunks = [wire.subarray(0, first), wire.subarray(first, second), wire.subarray(second)];
        expect(readAll(chunks)).toEqual({ stdout: "onefour", stderr: "twothree", engine: "", atBoundary: true });
      }
    }
  });

  it("hands a payload on before its frame is whole", () => {
    expect(readAll([frame(1, "hello").subarray(0, 10)])).toMatchObject({ stdout: "he", atBoundary: false });
  });

  it("is not at a boundary inside a header", () => {
    expect(readAll([frame(1, "x").subarray(0, 3)]).atBoundary).toBe(false);
  });

  it("tells the engine's own failure from output", () => {
    expect(readAll([frame(3, "broken pipe")])).toMatchObject({ stdout: "", stderr: "", engine: "broken pipe" });
  });
});

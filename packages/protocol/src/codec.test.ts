import { describe, expect, it } from "vitest";
import { decodeFrame, decodeJson, encodeFrame, encodeJson, type Frame, maxHeadBytes } from "./codec.ts";
import { readStream, streamPrefixBytes, writeStream } from "./socket-api.ts";

const body = Uint8Array.of(0, 255, 128, 10);

describe("a frame", () => {
  it.each<Frame>([
    { kind: "open", head: { invocationId: "é", nested: [1, null] }, body },
    { kind: "answer", head: {}, body: new Uint8Array(0) },
    { kind: "data", sequence: 4_294_967_295, body },
    { kind: "end", head: { sequenceCount: 3 } },
    { kind: "credit", bytes: 262_144 },
    { kind: "cancel", head: { reason: "abandoned" } },
    { kind: "error", head: { code: "unavailable" } },
  ])("comes back as it went: $kind", (frame) => {
    expect(decodeFrame(encodeFrame(frame))).toEqual(frame);
  });

  it("leaves room for a stream number and reads it back", () => {
    const bytes = writeStream(encodeFrame({ kind: "credit", bytes: 7 }, streamPrefixBytes), 3_000_000_000);
    expect(readStream(bytes)).toBe(3_000_000_000);
    expect(decodeFrame(bytes.subarray(streamPrefixBytes))).toEqual({ kind: "credit", bytes: 7 });
  });

  it("does not copy the body it reads", () => {
    const bytes = encodeFrame({ kind: "open", head: {}, body });
    const frame = decodeFrame(bytes);
    expect(frame.kind === "open" && frame.body.buffer === bytes.buffer).toBe(true);
  });

  it.each([
    ["nothing", new Uint8Array(0)],
    ["an unknown kind", Uint8Array.of(9, 0, 0, 0, 0)],
    ["too few bytes", Uint8Array.of(1, 0, 0)],
    ["a head longer than the frame", Uint8Array.of(1, 9, 0, 0, 0, 123)],
    ["a head that is not JSON", Uint8Array.of(1, 1, 0, 0, 0, 123)],
    ["a head that is not UTF-8", Uint8Array.of(1, 1, 0, 0, 0, 255)],
    ["a head over the limit", (() => { const bytes = new Uint8Array(maxHeadBytes + 10); bytes[0] = 1; new DataView(bytes.buffer).setUint32(1, maxHeadBytes + 1, true); return bytes; })()],
  ])("is refused when it is %s", (_, bytes) => {
    expect(() => decodeFrame(bytes)).toThrow(expect.objectContaining({ code: "invalid_argument", reason: "bad_frame" }));
  });
});

describe("a JSON message", () => {
  it("comes back as it went, and anything else is refused", () => {
    expect(decodeJson(encodeJson({ a: [1] }))).toEqual({ a: [1] });
    expect(() => decodeJson(Uint8Array.of(91))).toThrow(/not JSON/);
  });
});

import { describe, expect, it } from "vitest";
import { formatTraceparent, parseTraceparent } from "./trace-context.ts";

const trace = "0af7651916cd43dd8448eb211c80319c";
const span = "b7ad6b7169203331";

describe("traceparent", () => {
  it("is read and written as the standard has it", () => {
    for (const isSampled of [true, false]) {
      const text = `00-${trace}-${span}-0${Number(isSampled)}`;
      expect(parseTraceparent(text)).toEqual({ traceId: trace, spanId: span, isSampled });
      expect(formatTraceparent({ traceId: trace, spanId: span, isSampled })).toBe(text);
    }
  });

  it("of a later version is read as far as it is known", () => {
    expect(parseTraceparent(`cc-${trace}-${span}-03-what-the-future-brings`)).toEqual({ traceId: trace, spanId: span, isSampled: true });
    expect(parseTraceparent(`01-${trace}-${span}-02`)).toMatchObject({ isSampled: false });
  });

  it.each([
    ["nothing", ""],
    ["a version that is none", `ff-${trace}-${span}-01`],
    ["more than version 00 has", `00-${trace}-${span}-01-more`],
    ["more without a dash", `01-${trace}-${span}-01more`],
    ["a trace of zeros", `00-${"0".repeat(32)}-${span}-01`],
    ["a span of zeros", `00-${trace}-${"0".repeat(16)}-01`],
    ["upper case", `00-${trace.toUpperCase()}-${span}-01`],
    ["a short trace", `00-${trace.slice(1)}-${span}-01`],
    ["something around it", ` 00-${trace}-${span}-01`],
    ["two of them", `00-${trace}-${span}-01, 00-${trace}-${span}-01`],
  ])("with %s is none", (_, value) => {
    expect(parseTraceparent(value)).toBeUndefined();
  });
});

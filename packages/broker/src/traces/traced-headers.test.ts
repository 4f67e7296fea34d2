import { formatTraceparent, parseTraceparent } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { hopId } from "./hop-ids.ts";
import { callersTrace, tracedAnswer, tracedRequest } from "./traced-headers.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const parentId = "b7ad6b7169203331";
const trace = { traceId, spanId: "00f067aa0ba902b7", parentId, isSampled: true };
const traceparent = formatTraceparent({ traceId, spanId: parentId, isSampled: true });
const request = (headers: [string, string][]) => ({ method: "POST", target: "/", headers });

describe("a caller's trace", () => {
  it("is what its one traceparent says, however it is written", () => {
    expect(callersTrace([["TraceParent", traceparent]])).toEqual({ traceId, spanId: parentId, isSampled: true });
  });

  it.each([
    ["none", []],
    ["two", [["traceparent", traceparent], ["Traceparent", traceparent]]],
    ["one that is invalid", [["traceparent", "00-0-0-01"]]],
  ] as [string, [string, string][]][])("is none where it sent %s", (_, headers) => {
    expect(callersTrace(headers)).toBeUndefined();
  });
});

describe("what a function gets", () => {
  it("is beneath the attempt's run, each attempt's another, in the caller's trace; all else as it came", () => {
    const [first, second] = [1, 2].map((attempt) => tracedRequest(request([["A", "1"], ["TraceParent", traceparent], ["tracestate", "x=1"], ["a", "2"]]), trace, attempt));
    expect(first?.headers).toEqual([["A", "1"], ["tracestate", "x=1"], ["a", "2"], ["traceparent", formatTraceparent({ ...trace, spanId: hopId(trace, "run", 1) })]]);
    const parents = [first, second].map((each) => parseTraceparent(each?.headers.at(-1)?.[1] ?? ""));
    expect(parents).toMatchObject([{ traceId, isSampled: true }, { traceId, isSampled: true }]);
    expect(new Set([parentId, trace.spanId, ...parents.map((each) => each?.spanId)]).size).toBe(4);
  });

  it("has no state of a trace that is not its own", () => {
    const { parentId: _, ...begun } = trace;
    expect(tracedRequest(request([["TraceState", "x=1"], ["traceparent", "broken"]]), begun, 1).headers).toEqual([["traceparent", expect.stringContaining(traceId)]]);
  });

  it("says where it is not recorded", () => {
    expect(tracedRequest(request([]), { ...trace, isSampled: false }, 1).headers[0]?.[1]).toMatch(/-00$/);
  });
});

describe("what a caller gets", () => {
  it("names its invocation's span, once", () => {
    expect(tracedAnswer([["a", "b"], ["TraceResponse", "the function's"]], trace)).toEqual([["a", "b"], ["traceresponse", formatTraceparent(trace)]]);
  });
});

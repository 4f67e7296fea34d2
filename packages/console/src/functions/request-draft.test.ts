import { describe, expect, it } from "vitest";
import { draftOfRequest, emptyDraft, faultOf, readHeaders, SentRequests } from "./request-draft.ts";

describe("a request's draft", () => {
  it("has headers one a line, in order and repeated as they are written", () => {
    expect(readHeaders("X-A: 1\n\n x-a :  two: three \nempty:")).toEqual({ headers: [["X-A", "1"], ["x-a", "two: three"], ["empty", ""]] });
    expect(readHeaders("ok: 1\n<b>: 2")).toEqual({ field: "headers", message: "Line 2 is no header: expected name: value" });
  });

  it("says what keeps it from being sent", () => {
    expect(faultOf(emptyDraft)).toBeUndefined();
    expect([{ path: "x" }, { timeoutMs: "soon" }, { method: "GET" }, { headers: "nonsense" }].map((change) => faultOf({ ...emptyDraft, ...change })?.field)).toEqual(["path", "timeoutMs", "body", "headers"]);
  });

  it("is made of what a caller sent", () => {
    expect(draftOfRequest({ method: "PUT", target: "/a?b", headers: [["x", "1"], ["y", "2"]] }, new TextEncoder().encode("hé"), "site=plant")).toMatchObject({ method: "PUT", path: "/a?b", headers: "x: 1\ny: 2", body: "hé", where: "site=plant", isAsync: true });
  });
});

it("sent is found again by its invocation, the latest by its function", () => {
  const sent = new SentRequests();
  for (const n of [1, 2]) sent.keep({ invocationId: `i${n}`, functionName: "f", draft: { ...emptyDraft, body: String(n) } });
  expect([sent.find("i1")?.draft.body, sent.latest("f")?.draft.body, sent.find("x")]).toEqual(["1", "2", undefined]);
});

import { describe, expect, it } from "vitest";
import { fieldsToPass } from "./response-fields.ts";

const pass = (headers: readonly (readonly [string, string])[], status = 200) => fieldsToPass({ status, headers, framing: { kind: "none" }, keepsAlive: true, keepAliveMs: undefined });

describe("fieldsToPass()", () => {
  it("keeps what is the function's, repeated and in order", () => {
    const headers = [["Set-Cookie", "a=1"], ["Date", "now"], ["set-cookie", "b=2"], ["Content-Length", "5"], ["Location", "/elsewhere"]] as const;
    expect(pass(headers)).toEqual(headers);
  });

  it("leaves out what concerns the instance's connection, and what that names so", () => {
    const headers = [["Connection", "close, X-Mine"], ["Keep-Alive", "timeout=5"], ["Transfer-Encoding", "chunked"], ["Trailer", "X"], ["x-mine", "1"], ["X-Theirs", "2"]] as const;
    expect(pass(headers)).toEqual([["X-Theirs", "2"]]);
  });

  it("does not let an image speak for Longshore", () => {
    expect(pass([["Longshore-Result", "succeeded"], ["Nats-Msg-Id", "1"], ["X", "y"]])).toEqual([["X", "y"]]);
  });

  it.each([204, 304, 101])("leaves out the length of a %i, which has no body", (status) => {
    expect(pass([["content-length", "5"], ["ETag", "x"]], status)).toEqual([["ETag", "x"]]);
  });

  it("says which protocol was switched to, and nothing of one that was not", () => {
    expect(pass([["Upgrade", "websocket"], ["Connection", "Upgrade"]], 101)).toEqual([["Upgrade", "websocket"]]);
    expect(pass([["Upgrade", "h2c"]], 200)).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { type CallChanges, contractCall } from "../testing/contract-call.ts";
import { writeRequestHead } from "./request-head.ts";

const write = (changes: CallChanges = {}) => writeRequestHead(contractCall(changes), "10.0.0.2:8080");
const textOf = (changes: CallChanges = {}) => write(changes).text;
const linesOf = (changes: CallChanges = {}) => textOf(changes).split("\r\n").slice(1, -2);

describe("writeRequestHead()", () => {
  it("writes the simplest request", () => {
    expect(write()).toEqual({ text: "GET / HTTP/1.1\r\nHost: 10.0.0.2:8080\r\nConnection: keep-alive\r\n\r\n", framing: "none" });
  });

  it.each(["//", "/a%2Fb%2f/", "/x?q=%20&q=", "/?", "/..//./a", "/*", "/a;b=c?x=/#"])("passes the target %s on as it is", (target) => {
    expect(textOf({ target, method: "PROPFIND" })).toMatch(`PROPFIND ${target} HTTP/1.1\r\n`);
  });

  it("keeps fields in order, in their spelling and repeated, and their values to the byte", () => {
    const headers = [["X-b", "2"], ["x-A", "1"], ["X-B", "3"], ["cookie", "a=1"], ["X-Bytes", "voil\xc3\xa0"], ["X-Empty", ""]] as const;
    expect(linesOf({ headers })).toEqual(["Host: 10.0.0.2:8080", "X-b: 2", "x-A: 1", "X-B: 3", "cookie: a=1", "X-Bytes: voil\xc3\xa0", "X-Empty: ", "Connection: keep-alive"]);
  });

  it("names the host as the caller did, once and in front", () => {
    expect(linesOf({ headers: [["X", "y"], ["HOST", "shop.example:81"], ["host", "other"]] })).toEqual(["Host: shop.example:81", "X: y", "Connection: keep-alive"]);
  });

  it("leaves out what concerns the caller's own connection, and frames the body itself", () => {
    const names = ["Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length", "Expect"];
    expect(linesOf({ headers: names.map((name) => [name, "7"]), method: "POST", body: "hi" })).toEqual(["Host: 10.0.0.2:8080", "Content-Length: 2", "Connection: keep-alive"]);
  });

  it("puts the agent's own fields in place of any that pretend to be", () => {
    const addedHeaders = [["longshore-invocation-id", "true"]] as const;
    expect(linesOf({ headers: [["Longshore-Invocation-Id", "forged"], ["X", "y"]], addedHeaders })).toEqual(["Host: 10.0.0.2:8080", "X: y", "longshore-invocation-id: true", "Connection: keep-alive"]);
  });

  it.each<[string, CallChanges, string, string | undefined]>([
    ["a whole body", { method: "POST", body: "four" }, "length", "Content-Length: 4"],
    ["a whole body of a method that has none", { method: "GET", body: "four" }, "length", "Content-Length: 4"],
    ["an empty body of a method that expects one", { method: "POST" }, "length", "Content-Length: 0"],
    ["no body", { method: "DELETE" }, "none", undefined],
    ["a body that is said to be empty", { method: "DELETE", bodyBytes: 0 }, "length", "Content-Length: 0"],
    ["the beginning of a body of known length", { method: "PUT", body: "four", more: true, bodyBytes: 1_000_000 }, "length", "Content-Length: 1000000"],
    ["the beginning of a body of unknown length", { method: "PUT", body: "four", more: true }, "chunked", "Transfer-Encoding: chunked"],
  ])("frames %s", (_, changes, framing, field) => {
    const { text, framing: got } = write(changes);
    expect(got).toBe(framing);
    expect(/^(?:Content-Length|Transfer-Encoding): .*$/m.exec(text)?.[0].trimEnd()).toBe(field);
  });

  it("asks for the protocol that the caller asked for, and frames no body", () => {
    const upgrade = { upgrade: true, more: true, headers: [["Upgrade", "chat/2"], ["Sec-WebSocket-Key", "k=="]] } as const;
    expect(write(upgrade).framing).toBe("none");
    expect(linesOf(upgrade)).toEqual(["Host: 10.0.0.2:8080", "Sec-WebSocket-Key: k==", "Connection: Upgrade", "Upgrade: chat/2"]);
    expect(textOf({ upgrade: true, more: true })).toContain("Upgrade: websocket\r\n");
  });

  it.each<[string, string]>([
    ["X", "a\r\nEvil: 1"], ["X", "a\nb"], ["X", "a\0"], ["X", "\x7f"], ["X", "ž"], ["X", "\u010a"], ["", "x"], ["X Y", "x"], ["X:", "x"], ["X\r\nEvil", "x"], ["ü", "x"],
  ])("refuses the field %j: %j, which could be read as something else", (name, value) => {
    expect(() => textOf({ headers: [[name, value]] })).toThrow(expect.objectContaining({ reason: "bad_header", field: "headers", phase: "admission" }));
    if (name === "X") expect(() => textOf({ upgrade: true, headers: [["Upgrade", value]] })).toThrow(expect.objectContaining({ reason: "bad_header" }));
    if (name === "X") expect(() => textOf({ headers: [["Host", value]] })).toThrow(expect.objectContaining({ reason: "bad_header" }));
  });
});

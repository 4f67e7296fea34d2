import { describe, expect, it } from "vitest";
import type { MessageHeader } from "../bus/stored-message.ts";
import { messageForNow, scheduleGraceMs } from "./message-for-now.ts";

const nowMs = Date.UTC(2026, 10, 28, 12);
const kept = (headers: MessageHeader[] = [], ageMs = 0) => ({ subject: "a.b", sequence: 7, storedAtMs: nowMs - ageMs, headers, payload: new Uint8Array([1, 2]) });
const headersOf = (headers: MessageHeader[], ageMs = 0) => messageForNow(kept(headers, ageMs), {}, nowMs)?.headers;

describe("messageForNow", () => {
  it("keeps subject, payload and headers of the message's own", () => {
    expect(messageForNow(kept([["KV-Operation", "DEL"], ["Longshore-Attempt", "2"]]), {}, nowMs)).toEqual({ subject: "a.b", headers: [["KV-Operation", "DEL"], ["Longshore-Attempt", "2"]], payload: new Uint8Array([1, 2]) });
  });

  it("leaves out what was a condition or a part of the write that it once was", () => {
    const ofTheWrite = ["Nats-Expected-Last-Subject-Sequence", "Nats-Expected-Last-Subject-Sequence-Subject", "Nats-Batch-Id", "Nats-Batch-Sequence", "Nats-Batch-Commit", "Nats-Rollup", "Nats-Scheduler", "Nats-Schedule-Next", "Nats-Msg-Id"];
    expect(headersOf([...ofTheWrite.map((name): MessageHeader => [name, "1"]), ["Nats-Schedule-Target", "x"]])).toEqual([["Nats-Schedule-Target", "x"]]);
  });

  it("gives it what is left of its life, and nothing where that is over", () => {
    expect(headersOf([["Nats-TTL", "60s"]], 10_500)).toEqual([["Nats-TTL", "50s"]]);
    expect(headersOf([["Nats-TTL", "60"]], 59_999)).toEqual([["Nats-TTL", "1s"]]);
    expect(headersOf([["Nats-TTL", "60s"]], 60_000)).toBeUndefined();
    expect(headersOf([["Nats-TTL", "never"]], 60_000)).toEqual([["Nats-TTL", "never"]]);
  });

  it("leaves out what a stream of that age limit has dropped by now", () => {
    const settings = { max_age: 60_000 * 1e6 };
    expect(messageForNow(kept([], 60_000), settings, nowMs)).toBeUndefined();
    expect(messageForNow(kept([], 59_999), settings, nowMs)).toBeDefined();
    expect(messageForNow(kept([], 1e9), { max_age: 0 }, nowMs)).toBeDefined();
  });

  it("keeps a schedule that is to come, and puts one off that is over, so that a broker ends first what it is for", () => {
    const at = (ms: number): MessageHeader[] => [["Nats-Schedule", `@at ${new Date(ms).toISOString()}`]];
    expect(headersOf(at(nowMs + 2 * scheduleGraceMs))).toEqual(at(nowMs + 2 * scheduleGraceMs));
    expect(headersOf(at(nowMs - 86_400_000))).toEqual(at(nowMs + scheduleGraceMs));
    expect(headersOf([["Nats-Schedule", "@every 5m"]])).toEqual([["Nats-Schedule", "@every 5m"]]);
  });
});

import { type Frame, LongshoreError, type LogLine, windowBytes } from "@longshore/protocol";
import { afterEach, describe, expect, it } from "vitest";
import type { LogQuery } from "../logs/log-query.ts";
import { type RawClient, type SocketFixture, startSocketFixture } from "./testing/socket-fixture.ts";

const line = (text: string) => ({ at: "2026-11-25T00:00:00.000Z", siteId: "plant", agentId: "a1", instanceId: "i", functionName: "resize", revisionId: "resize-r1", stream: "stdout", line: text }) satisfies LogLine;
const decoder = new TextDecoder();
const textsIn = (frames: readonly Frame[]) => frames.flatMap((frame) => (frame.kind === "data" ? decoder.decode(frame.body).trimEnd().split("\n").map((text) => (JSON.parse(text) as LogLine).line) : []));
const invocationId = "0197a7c6-5f3e-7b12-9c58-0d8a4be3f001";

let fixture: SocketFixture;
afterEach(() => fixture.close());

/** A socket of a broker whose logs are the test's. */
async function connect(lines: (query: LogQuery, signal: AbortSignal) => AsyncIterable<LogLine> | Iterable<LogLine>): Promise<RawClient> {
  fixture = await startSocketFixture({}, { logs: { open: async (_, query, signal) => lines(query, signal) } });
  return fixture.connect();
}
const open = (client: RawClient, head: Record<string, unknown>, stream = 1) => client.send(stream, { kind: "open", head: { what: "logs", ...head }, body: new Uint8Array(0) });
const isLast = ({ kind }: Frame) => kind === "end" || kind === "error";

describe("logs on a socket", () => {
  it("come as lines, then an end", async () => {
    let asked: LogQuery | undefined;
    const client = await connect((query) => {
      asked = query;
      return [line("one"), line("zwei \u2028 🛟")];
    });
    open(client, { functionName: "resize", tail: 7, sinceMs: 60_000, siteId: "plant", stream: "stdout" });
    const frames = await client.until(1, isLast);
    expect(asked).toEqual({ functionName: "resize", tail: 7, follow: false, sinceMs: 60_000, siteId: "plant", stream: "stdout" });
    expect(frames[0]).toMatchObject({ kind: "answer", head: { complete: false } });
    expect(textsIn(frames)).toEqual(["one", "zwei \u2028 🛟"]);
    expect(frames.at(-1)).toMatchObject({ head: { result: { outcome: "succeeded" } } });
  });

  it("are of a function or of an invocation, and name what they cannot take", async () => {
    const client = await connect(() => [line("x")]);
    const heads = [{ invocationId }, {}, { functionName: "resize", invocationId }, { functionName: "No!" }, { invocationId: "7" }, { functionName: "resize", tail: 10_001 }, { functionName: "resize", stream: "stdin" }];
    for (const [index, head] of heads.entries()) open(client, head, index + 1);
    expect(textsIn(await client.until(1, isLast))).toEqual(["x"]);
    const fields = [];
    for (let stream = 2; stream <= heads.length; stream += 1) fields.push(((await client.next(stream)) as { head: { field?: string } }).head.field);
    expect(fields).toEqual(["functionName", "functionName", "functionName", "invocationId", "tail", "stream"]);
  });

  it("that cannot be opened end with the error", async () => {
    fixture = await startSocketFixture({}, { logs: { open: () => Promise.reject(new LongshoreError("function_not_found", "no")) } });
    const client = await fixture.connect();
    open(client, { functionName: "resize" });
    expect(await client.next(1)).toMatchObject({ kind: "error", head: { reason: "function_not_found" } });
  });

  it("are made no faster than their reader takes them, and end their source with a cancel", async () => {
    let made = 0;
    const ended = Promise.withResolvers<void>();
    const client = await connect(async function* (_, signal) {
      try {
        for (; !signal.aborted; made += 1) yield line("x".repeat(1_000));
      } finally {
        ended.resolve();
      }
    });
    open(client, { functionName: "resize", follow: true });
    let bytes = 0;
    while (bytes + 128 * 1024 <= windowBytes) {
      const frame = await client.next(1);
      if (frame.kind === "data") bytes += frame.body.length;
    }
    const before = made;
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(made - before).toBeLessThan(200);
    expect(made).toBeLessThan(windowBytes / 1_000 + 100);
    client.send(1, { kind: "credit", bytes: 100_000 });
    await client.next(1);
    client.send(1, { kind: "cancel", head: { reason: "requested" } });
    await ended.promise;
    expect((await client.until(1, isLast)).at(-1)).toMatchObject({ head: { result: { outcome: "cancelled" } } });
  });

  it("end their source when the socket closes, and when the broker drains", async () => {
    const endings: Promise<void>[] = [];
    const client = await connect(async function* (_, signal) {
      const { promise, resolve } = Promise.withResolvers<void>();
      endings.push(promise);
      yield line("one");
      await new Promise<void>((wake) => signal.addEventListener("abort", () => wake(), { once: true }));
      resolve();
    });
    open(client, { functionName: "resize", follow: true });
    await client.next(1);
    await client.next(1);
    client.close();
    await endings[0];
    const other = await fixture.connect();
    open(other, { functionName: "resize", follow: true });
    await other.next(1);
    const drained = fixture.sockets.drain(1_000);
    expect((await other.until(1, isLast)).at(-1)).toMatchObject({ head: { reason: "broker_draining" } });
    await Promise.all([endings[1], drained]);
  });
});

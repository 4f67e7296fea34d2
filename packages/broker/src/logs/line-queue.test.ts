import type { LogLine } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { LineQueue } from "./line-queue.ts";

const line = (text: string) => ({ line: text }) as LogLine;

async function texts(queue: LineQueue): Promise<string[]> {
  const read: string[] = [];
  for await (const { line: text } of queue) read.push(text);
  return read;
}

describe("a queue of lines", () => {
  it("gives every line in order, then ends", async () => {
    const queue = new LineQueue();
    const read = texts(queue);
    void queue.push(line("1"));
    await Promise.resolve();
    void queue.push(line("2"));
    queue.end();
    void queue.push(line("too late"));
    expect(await read).toEqual(["1", "2"]);
  });

  it("gives the lines that wait before its error", async () => {
    const queue = new LineQueue();
    void queue.push(line("1"));
    queue.fail(new Error("gone"));
    const read = queue[Symbol.asyncIterator]();
    expect((await read.next()).value).toMatchObject({ line: "1" });
    await expect(read.next()).rejects.toThrow("gone");
  });

  it("has whoever brings more than it holds wait for the reader", async () => {
    const queue = new LineQueue();
    for (let at = 1; at < 1_000; at += 1) expect(queue.push(line(String(at)))).toBeUndefined();
    let hasRoom = false;
    const waiting = Promise.resolve(queue.push(line("1000"))).then(() => (hasRoom = true));
    await Promise.resolve();
    expect(hasRoom).toBe(false);
    await queue[Symbol.asyncIterator]().next();
    await waiting;
    expect(hasRoom).toBe(true);
  });

  it("lets those who wait go when it ends", async () => {
    const queue = new LineQueue();
    for (let at = 1; at < 1_000; at += 1) void queue.push(line(String(at)));
    const waiting = queue.push(line("1000"));
    queue.end();
    await waiting;
  });
});

import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { createInterrupts } from "./interrupts.ts";

/** A process that only remembers how it was to end. */
function fakeProcess() {
  const stdout = new EventEmitter();
  const exits: unknown[] = [];
  const source = Object.assign(new EventEmitter(), { stdout, exit: (code: unknown) => void exits.push(code) });
  return { source, exits, interrupts: createInterrupts(source as unknown as Parameters<typeof createInterrupts>[0]) };
}

describe("interrupts", () => {
  it("are not caught until a command asks", () => {
    const { source, interrupts } = fakeProcess();
    expect(source.listenerCount("SIGINT")).toBe(0);
    interrupts.signal();
    expect(source.listenerCount("SIGINT")).toBe(1);
  });

  it("abort at the first and end the process at the second", () => {
    const { source, interrupts, exits } = fakeProcess();
    const signal = interrupts.signal();
    source.emit("SIGINT");
    expect(signal.reason).toBe("SIGINT");
    expect(exits).toEqual([]);
    source.emit("SIGINT");
    expect(exits).toEqual([130]);
  });

  it("go to whoever waits for the next", async () => {
    const { source, interrupts, exits } = fakeProcess();
    const first = interrupts.next();
    source.emit("SIGTERM");
    expect(await first).toBe("SIGTERM");
    const second = interrupts.next();
    source.emit("SIGINT");
    expect(await second).toBe("SIGINT");
    expect(exits).toEqual([]);
  });

  it("count a reader that went away once, and end a command that did not ask", () => {
    const asked = fakeProcess();
    const signal = asked.interrupts.signal();
    for (let i = 0; i < 3; i += 1) asked.source.stdout.emit("error", Object.assign(new Error("x"), { code: "EPIPE" }));
    expect(signal.reason).toBe("SIGPIPE");
    expect(asked.exits).toEqual([]);
    const other = fakeProcess();
    other.source.stdout.emit("error", Object.assign(new Error("x"), { code: "EPIPE" }));
    expect(other.exits).toEqual([141]);
  });
});

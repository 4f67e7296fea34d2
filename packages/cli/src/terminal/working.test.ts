import { describe, expect, it } from "vitest";
import { createFakeTerminal, type FakeTerminalOptions } from "../testing/fake-terminal.ts";
import { whileWorking } from "./working.ts";

/** Waits for something that takes so long; what stderr shows of it. */
async function shownOf(tookMs: number, { json = false, ...options }: FakeTerminalOptions & { readonly json?: boolean } = {}) {
  const { terminal, stderr, stdout } = createFakeTerminal({ isTerminal: true, environment: { NO_COLOR: "1" }, ...options });
  const waiting: { call: () => void; atMs: number }[] = [];
  let nowMs = 0;
  const work = Promise.withResolvers<string>();
  const whole = whileWorking({ terminal, json }, "Backing up \u001b[2J", work.promise, { now: () => nowMs, later: (call, ms) => {
    const timer = { call, atMs: nowMs + ms };
    waiting.push(timer);
    return () => void waiting.splice(waiting.indexOf(timer), 1);
  } });
  for (; nowMs < tookMs; nowMs += 50) for (const timer of [...waiting]) if (timer.atMs <= nowMs) waiting.splice(waiting.indexOf(timer), 1)[0]?.call();
  work.resolve("done");
  expect(await whole).toBe("done");
  expect({ waiting, stdout: stdout() }).toEqual({ waiting: [], stdout: "" });
  return stderr();
}

describe("whileWorking()", () => {
  it("says on one line that something goes on, and for how long, and clears it", async () => {
    const shown = await shownOf(2_600);
    expect(shown).toMatch(/^\r\u001b\[2K. Backing up \\x1b\[2J, 1s\r[^]*, 2s\r\u001b\[2K$/);
    expect(shown).not.toContain("\n");
  });

  it("says nothing of what is over within a second, nor elsewhere than on a terminal, nor to programs", async () => {
    expect(await shownOf(900)).toBe("");
    expect(await shownOf(5_000, { isTerminal: false })).toBe("");
    expect(await shownOf(5_000, { json: true })).toBe("");
    expect(await shownOf(5_000, { environment: { TERM: "dumb" } })).toBe("");
  });

  it("clears its line when what it waits for fails", async () => {
    const { terminal, stderr } = createFakeTerminal({ isTerminal: true });
    const work = Promise.withResolvers<never>();
    const calls: (() => void)[] = [];
    const whole = whileWorking({ terminal, json: false }, "Backing up", work.promise, { later: (call) => (calls.push(call), () => undefined), now: () => 0 });
    calls[0]?.();
    expect(stderr()).toContain("Backing up, 0ms");
    work.reject(new Error("no"));
    await expect(whole).rejects.toThrow("no");
    expect(stderr()).toMatch(/\r\u001b\[2K$/);
  });
});

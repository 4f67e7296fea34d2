import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBrowser } from "../support/browser.ts";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { laboratoryFunction, shellFunction } from "../support/functions.ts";
import { type OnTerminal, startOnTerminal } from "../support/on-terminal.ts";
import { screenOf, takeTerminalPicture } from "../support/terminal-picture.ts";

const leave = /\u001b\[\?1049l[^]*$/;

describe("longshore top", () => {
  let test: TestFleet;
  const started: OnTerminal[] = [];
  const start = (...argv: string[]) => {
    const top = startOnTerminal(["top", "--url", test.url, ...argv]);
    started.push(top);
    return top;
  };
  beforeAll(async () => {
    test = await startFleet();
    await test.fleet.deploy(await shellFunction("murmur", "cat"));
    await test.fleet.deploy(await shellFunction("broken", "exit 3"));
  }, 180_000);
  afterAll(async () => {
    for (const top of started) top.kill("SIGKILL");
    await test.close();
  });

  it("shows hosts of both sites and what is called, and gives the terminal back at q", async () => {
    const top = start();
    await top.until(/\u001b\[\?1049h[^]*plant[^]*Functions/);
    for (let nth = 0; nth < 5; nth += 1) await (await test.fleet.call("murmur", "x")).bytes();
    await (await test.fleet.call("broken")).bytes().catch(() => undefined);
    await top.until(/murmur +(<0\.1|[\d.]+)\/s +0%/);
    await top.until(/broken[^]*100%/);
    top.type("\t/mur\rs");
    await top.until(/filter: mur[^]*by name/);
    top.type("?");
    await top.until(/stand still, and go on/);
    top.type("?q");
    expect(await top.ended).toBe(0);
    expect(top.written()).toMatch(leave);
  });

  it("gives the terminal back at Ctrl-C, and when it is told to end", async () => {
    const interrupted = start();
    await interrupted.until(/Hosts 2/);
    interrupted.type("\u0003");
    expect(await interrupted.ended).toBe(0);
    expect(interrupted.written()).toMatch(leave);
  });

  it("writes one look without a terminal's help, in text and for programs", async () => {
    const once = start("--once");
    expect(await once.ended).toBe(0);
    expect(once.written()).toMatch(/2 of 2 hosts ready, 2 sites/);
    expect(once.written()).not.toContain("\u001b[?1049h");
  });

  it("draws at most five times a second under load", async () => {
    const top = start();
    await top.until(/Hosts 2/);
    const [fromMs, before] = [performance.now(), top.written().length];
    while (performance.now() - fromMs < 3_000) await Promise.all(Array.from({ length: 8 }, async () => (await test.fleet.call("murmur", "x")).bytes()));
    const draws = top.written().slice(before).split("\u001b[?2026h").length - 1;
    top.type("q");
    expect(await top.ended).toBe(0);
    expect(draws).toBeGreaterThan(2);
    expect(draws / ((performance.now() - fromMs) / 1_000)).toBeLessThanOrEqual(5);
  });

  it("looks as its picture shows, with much going on", async () => {
    for (const name of ["checkout", "resize-images-for-the-web", "tariff"]) await test.fleet.deploy(await laboratoryFunction(name));
    const top = start();
    await top.until(/Hosts 2/);
    const call = async (name: string, path = "/") => (await test.fleet.call(name, undefined, { path })).bytes().catch(() => undefined);
    let tariffs = 0;
    const lanes = (count: number, act: () => Promise<unknown>) => Array.from({ length: count }, async () => {
      for (const untilMs = performance.now() + 25_000; performance.now() < untilMs; ) await act();
    });
    await Promise.all([
      ...lanes(8, () => call("checkout")),
      ...lanes(4, () => call("resize-images-for-the-web", "/slow?ms=120")),
      ...lanes(2, () => call("tariff", (tariffs += 1) % 10 === 0 ? "/status?code=503" : "/slow?ms=30")),
      ...lanes(1, () => call("murmur")),
    ]);
    const lines = screenOf(top.written());
    top.type("q");
    expect(await top.ended).toBe(0);
    expect(lines).toHaveLength(40);
    await using browser = await startBrowser([]);
    await takeTerminalPicture(browser.page, lines, "top");
  }, 120_000);
});

import { type FleetEvent, type History, LongshoreError } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import type { Fleet } from "../fleet.ts";
import { agentView, createFakeFleet } from "../testing/fake-fleet.ts";
import { invocationRecord } from "../testing/fake-record.ts";
import { runLine } from "../testing/run-line.ts";
import { createFleetNow } from "../top/fleet-now.ts";
import { followFleet } from "../top/follow-fleet.ts";

const noonMs = Date.parse("2026-11-25T12:00:00.000Z");
const events: readonly FleetEvent[] = [{ event: "agent", agent: agentView() }, { event: "caught_up" }, { event: "invocation", record: invocationRecord(0) }];
const past: History = { fromMs: noonMs - 600_000, untilMs: noonMs, stepMs: 10_000, functions: [{ name: "wordcount", points: [{ atMs: noonMs - 20_000, outcomes: { succeeded: 110, failed: 10 }, starts: { warm: 120 }, durations: { count: 120, p50Ms: 4, p90Ms: 6, p99Ms: 9, maxMs: 10 } }] }] };
const noHistory = () => Promise.reject(new LongshoreError("route_not_found", "x"));

function fleetOf(history: Fleet["history"], told = events, hold?: AbortController): Partial<Fleet> {
  const watch = async function* (): AsyncGenerator<FleetEvent> {
    await Promise.resolve();
    yield* told;
    hold?.abort("SIGTERM");
  };
  return { watch, history, agents: { list: async () => [] } as unknown as Fleet["agents"] };
}

describe("longshore top", () => {
  it("writes one look as text where stdout is no terminal", async () => {
    const { stdout, exitCode } = await runLine(["top"], { fleet: fleetOf(async () => past) });
    expect(exitCode).toBe(0);
    expect(stdout).not.toContain("\u001b");
    const lines = stdout.split("\n");
    expect(lines[0]).toBe("1 of 1 hosts ready, 1 sites  1 running, 2 idle, 1 held  memory ██████░░░░░░ 4GiB/8GiB");
    expect(lines.find((line) => line.includes("wordcount"))).toMatch(/^ {2}wordcount +2\/s +8\.3% +4ms +9ms +0 +100\/0\/0 +█$/);
  });

  it("gives programs a document", async () => {
    const { stdout } = await runLine(["top", "--json"], { fleet: fleetOf(async () => past) });
    expect(JSON.parse(stdout)).toMatchObject({ at: "2026-11-25T12:00:00.000Z", totals: { hosts: 1, ready: 1 }, hosts: [{ agentId: "plant-1", siteId: "plant", state: "ready", running: 1 }], functions: [{ name: "wordcount", perSecond: 2, failed: 10 }] });
  });

  it("does without a history where the broker has none, and says so", async () => {
    const { stdout, exitCode } = await runLine(["top", "--once"], { fleet: fleetOf(noHistory), isTerminal: true });
    expect(exitCode).toBe(0);
    expect(stdout).toContain("Figures since 12:00:00 UTC: no history\n");
  });

  it("draws on a terminal, and gives it back when it is told to end", async () => {
    const told = new AbortController();
    const { stdout, exitCode } = await runLine(["top"], { fleet: fleetOf(async () => past, events, told), isTerminal: true, signal: told.signal });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^\u001b\[\?1049h.*longshore top.*\u001b\[\?1049l$/s);
  });

  it("gives the terminal back before it tells what failed", async () => {
    const watch = async function* (): AsyncGenerator<FleetEvent> {
      yield* events.slice(0, 1);
      await Promise.resolve();
      throw new LongshoreError("bus_down", "Cannot watch: \u001b[2Jgone");
    };
    const { stdout, stderr, exitCode } = await runLine(["top"], { fleet: { watch }, isTerminal: true });
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/\u001b\[\?1049l$/);
    expect(stderr).toContain("Cannot watch: \\x1b[2Jgone");
  });

  it("takes agents that went while the connection was broken out", async () => {
    const state = createFleetNow(noonMs);
    const source = createFakeFleet(fleetOf(noHistory, [...events, { event: "caught_up" }]));
    const sizes: number[] = [];
    for await (const _ of followFleet(source, state, { signal: new AbortController().signal, now: () => noonMs })) sizes.push(state.agents.size);
    expect(sizes).toEqual([1, 1, 1, 0]);
  });
});

import { type AgentAddress, encodeJson, LongshoreError } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import type { Bus } from "../bus/bus.ts";
import { FakeBus } from "../invocation/testing/fake-bus.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { type AskOptions, createAsker } from "./ask-agent.ts";

const agent = { siteId: "plant", agentId: "a1" } as AgentAddress;
const text = (...lines: unknown[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join("");

function rig() {
  const bus = new FakeBus();
  const clock = new ManualClock();
  let incarnation = "first";
  const asker = createAsker(bus as unknown as Bus, clock, () => incarnation);
  const ask = (options: Partial<AskOptions> = {}) => {
    const answer = asker.ask(agent, { ask: "introduce" }, { silenceMs: 1_000, ...options });
    answer.catch(() => undefined);
    return { answer, exchange: bus.exchanges.at(-1)! };
  };
  const restart = (next: string) => (incarnation = next);
  return { bus, clock, ask, asker, restart };
}

describe("a question to an agent", () => {
  it("is answered by a document", async () => {
    const { ask, clock } = rig();
    const { answer, exchange } = ask();
    exchange.receive({ kind: "answer", head: { complete: true }, body: encodeJson({ is: "fine" }) });
    expect(await answer).toEqual({ is: "fine" });
    expect(exchange.isClosed).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it("is answered by lines, one after the other, wherever they were cut", async () => {
    const { ask } = rig();
    const lines: unknown[] = [];
    const { answer, exchange } = ask({
      onLine: async (line) => {
        await Promise.resolve();
        lines.push(line);
      },
    });
    const whole = text({ n: 1 }, { n: 2 }, { n: "drei €" });
    const bytes = Buffer.from(whole);
    exchange.head();
    for (let at = 0; at < bytes.length; at += 5) exchange.data(at / 5 + 1, bytes.subarray(at, at + 5));
    exchange.end({ sequenceCount: Math.ceil(bytes.length / 5) });
    await answer;
    expect(lines).toEqual([{ n: 1 }, { n: 2 }, { n: "drei €" }]);
  });

  it("has the agent wait for whoever takes the lines", async () => {
    const { ask } = rig();
    const { promise, resolve } = Promise.withResolvers<void>();
    const { exchange } = ask({ onLine: () => promise });
    exchange.head();
    exchange.data(1, text("x".repeat(300 * 1024)));
    expect(exchange.sent("credit")).toEqual([]);
    resolve();
    await new Promise((done) => setImmediate(done));
    expect(exchange.sent("credit")).toHaveLength(1);
  });

  it("fails once, and harms nobody else, when a line cannot be taken as the end comes", async () => {
    const { ask } = rig();
    const { answer, exchange } = ask({
      onLine: () => {
        throw new LongshoreError("bad_frame", "Cannot read line");
      },
    });
    exchange.head();
    exchange.data(1, text(1, 2, 3));
    exchange.end({ sequenceCount: 1 });
    await expect(answer).rejects.toMatchObject({ reason: "bad_frame" });
    await new Promise((done) => setImmediate(done)); // An unhandled rejection would end the process.
    expect(exchange.sent("cancel")).toHaveLength(1);
  });

  it.each<[string, (exchange: ReturnType<ReturnType<typeof rig>["ask"]>["exchange"]) => void, string]>([
    ["the agent's own error", (exchange) => exchange.refuse({ code: "not_found", reason: "image_not_found", message: "no" }), "image_not_found"],
    ["nobody there", (exchange) => exchange.fails("no_responders"), "agent_lost"],
    ["no bus", (exchange) => exchange.fails("bus_down"), "bus_down"],
    ["a gap", (exchange) => exchange.data(2, "x"), "bad_frame"],
    ["a line that is no JSON", (exchange) => exchange.data(1, "{\n"), "unexpected"],
    ["a frame of a caller's", (exchange) => exchange.receive({ kind: "cancel", head: {} }), "bad_frame"],
  ])("fails by %s", async (_, play, reason) => {
    const { ask, clock } = rig();
    const { answer, exchange } = ask();
    play(exchange);
    await expect(answer).rejects.toMatchObject({ reason });
    expect(exchange.isClosed).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it("is given up after silence, and not while anything is heard", async () => {
    const { ask, clock } = rig();
    const { answer, exchange } = ask({ onLine: () => undefined });
    exchange.head();
    clock.advance(900);
    exchange.data(1, text(1));
    clock.advance(900);
    expect(exchange.isClosed).toBe(false);
    clock.advance(100);
    await expect(answer).rejects.toMatchObject({ reason: "agent_lost" });
    expect(exchange.sent("cancel")).toHaveLength(1);
  });

  it("is given up once the process that was asked is not heard any more, and not for another's sake", async () => {
    const { ask, asker, clock, restart } = rig();
    const { answer, exchange } = ask({ silenceMs: Number.POSITIVE_INFINITY });
    restart("second");
    const { exchange: later } = ask();
    asker.lost("first");
    await expect(answer).rejects.toMatchObject({ reason: "agent_lost" });
    expect([exchange.isClosed, later.isClosed]).toEqual([true, false]);
    asker.lost("second");
    expect([later.isClosed, clock.pending]).toEqual([true, 0]);
  });

  it("is cancelled at the agent by its signal, and not asked at all when that came first", async () => {
    const { ask, bus } = rig();
    const aborting = new AbortController();
    const { answer, exchange } = ask({ signal: aborting.signal });
    aborting.abort();
    await expect(answer).rejects.toMatchObject({ reason: "caller_gone" });
    expect(exchange.sent("cancel")).toEqual([{ kind: "cancel", head: { reason: "requested" } }]);
    await expect(ask({ signal: AbortSignal.abort() }).answer).rejects.toMatchObject({ reason: "caller_gone" });
    expect(bus.exchanges).toHaveLength(1);
  });

  it("says that the bus is down", async () => {
    const { ask, bus } = rig();
    bus.isDown = true;
    await expect(ask().answer).rejects.toMatchObject({ reason: "bus_down" });
  });
});

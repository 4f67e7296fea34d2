import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type ContainerId, EngineError, type EngineEvent, type OwnedContainer } from "./engine.ts";
import { readEvent, type WatchSource, watchEvents } from "./events.ts";

const message = (action: string, id = "c1", attributes: Record<string, string> = {}) => ({ Type: "container", Action: action, Actor: { ID: id, Attributes: attributes } });
const container = (id: string, running: boolean): OwnedContainer => ({ id: id as ContainerId, name: id, labels: {}, running, ip: undefined });

/** An engine whose streams and states the test plays. */
function createSource() {
  const streams: { sinceMs: number | undefined; signal: AbortSignal; say(value: unknown): void; end(): void }[] = [];
  let owned: OwnedContainer[] = [];
  let isAway = false;
  const source: WatchSource = {
    async open({ sinceMs, signal }) {
      if (isAway) throw new EngineError("unreachable", 0, "away");
      const stream = new TransformStream<unknown, unknown>();
      const writer = stream.writable.getWriter();
      signal.addEventListener("abort", () => void writer.abort(signal.reason).catch(() => {}));
      streams.push({ sinceMs, signal, say: (value) => void writer.write(value).catch(() => {}), end: () => void writer.close().catch(() => {}) });
      return stream.readable;
    },
    async list() {
      if (isAway) throw new EngineError("unreachable", 0, "away");
      return owned;
    },
  };
  return { source, streams, setOwned: (next: OwnedContainer[]) => (owned = next), setAway: (away: boolean) => (isAway = away) };
}

describe("watchEvents()", () => {
  const timing = { checkMs: 10_000, retryMs: 100, retryMaxMs: 400 };
  let events: EngineEvent[];
  beforeEach(() => {
    vi.useFakeTimers();
    events = [];
  });
  afterEach(() => vi.useRealTimers());
  const watch = (source: WatchSource) => watchEvents(source, (event) => events.push(event), undefined, timing);
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  it("begins where it was called, without a gap", async () => {
    const { source, streams } = createSource();
    const calledAtMs = Date.now();
    const { close } = watch(source);
    await pass(0);
    streams[0]?.say(message("die", "c1", { exitCode: "3" }));
    await pass(0);
    expect([streams[0]?.sinceMs, events]).toEqual([calledAtMs, [{ kind: "exited", id: "c1", exitCode: 3 }]]);
    close();
  });

  it("connects again when a stream ends, and says that there was a gap", async () => {
    const { source, streams } = createSource();
    const { close } = watch(source);
    await pass(0);
    streams[0]?.end();
    await pass(100);
    expect([streams.length, streams[1]?.sinceMs, events]).toEqual([2, undefined, [{ kind: "gap" }]]);
    close();
  });

  it("keeps trying while the engine is away, and says once that there was a gap", async () => {
    const { source, streams, setAway } = createSource();
    const { close } = watch(source);
    await pass(0);
    setAway(true);
    streams[0]?.end();
    await pass(20_000);
    expect(events).toEqual([]);
    setAway(false);
    await pass(400);
    expect([streams.length, events]).toEqual([2, [{ kind: "gap" }]]);
    close();
  });

  it("says that there was a gap when even the first connection came late", async () => {
    const { source, setAway } = createSource();
    setAway(true);
    const { close } = watch(source);
    await pass(0);
    setAway(false);
    await pass(400);
    expect(events).toEqual([{ kind: "gap" }]);
    close();
  });

  it("notices a stream that says nothing while states change", async () => {
    const { source, streams, setOwned } = createSource();
    setOwned([container("c1", true)]);
    const { close } = watch(source);
    await pass(0);
    setOwned([container("c1", false)]);
    await pass(10_200);
    expect([streams.length, streams[0]?.signal.aborted, events]).toEqual([2, true, [{ kind: "gap" }]]);
    close();
  });

  it("trusts a stream that is quiet because nothing happens, or that told what happened", async () => {
    const { source, streams, setOwned } = createSource();
    setOwned([container("c1", true)]);
    const { close } = watch(source);
    await pass(30_000);
    setOwned([container("c1", false)]);
    streams[0]?.say(message("die", "c1", { exitCode: "0" }));
    await pass(30_000);
    expect([streams.length, events.map(({ kind }) => kind)]).toEqual([1, ["exited"]]);
    close();
  });

  it("takes an engine that cannot be asked for a broken stream", async () => {
    const { source, streams, setAway } = createSource();
    const { close } = watch(source);
    await pass(0);
    setAway(true);
    await pass(10_000);
    expect(streams[0]?.signal.aborted).toBe(true);
    close();
  });

  it("is quiet once closed", async () => {
    const { source, streams } = createSource();
    const { close } = watch(source);
    await pass(0);
    close();
    streams[0]?.say(message("die"));
    await pass(60_000);
    expect([streams.length, streams[0]?.signal.aborted, events]).toEqual([1, true, []]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("readEvent()", () => {
  it("knows what matters and passes over the rest", () => {
    expect(readEvent(message("oom"))).toEqual({ kind: "out_of_memory", id: "c1" });
    expect(readEvent(message("destroy"))).toEqual({ kind: "removed", id: "c1" });
    expect(readEvent(message("create"))).toBeUndefined();
    expect(readEvent({ Type: "network", Action: "destroy", Actor: { ID: "n1" } })).toBeUndefined();
    expect(readEvent({})).toBeUndefined();
  });
});

import { describe, expect, it } from "vitest";
import { createPulls, type OpenPull } from "./pull.ts";
import { createPullCounter, type PullLine } from "./pull-progress.ts";

/** An engine whose pulls the test plays line by line. */
function createSource(silenceMs?: number) {
  const opened: { reference: string; signal: AbortSignal; say(line: PullLine): void; end(): void }[] = [];
  const open: OpenPull = async (reference, { signal }) => {
    const stream = new TransformStream<PullLine, PullLine>();
    const writer = stream.writable.getWriter();
    signal.addEventListener("abort", () => void writer.abort(signal.reason).catch(() => {}));
    opened.push({ reference, signal, say: (line) => void writer.write(line).catch(() => {}), end: () => void writer.close().catch(() => {}) });
    return stream.readable;
  };
  return { pulls: createPulls(open, silenceMs), opened };
}

const layer: PullLine = { id: "aaa", status: "Pulling fs layer" };

describe("createPulls()", () => {
  it("opens one pull for all who ask for a reference", async () => {
    const { pulls, opened } = createSource();
    const layers: number[] = [];
    const both = [pulls.pull("a", {}), pulls.pull("a", { onProgress: (progress) => layers.push(progress.layers) })];
    const other = pulls.pull("b", {});
    opened[0]?.say(layer);
    for (const { end } of opened) end();
    await Promise.all([...both, other]);
    expect([opened.map(({ reference }) => reference), layers]).toEqual([["a", "b"], [1]]);
  });

  it("gives up a registry that sends nothing any more", async () => {
    const { pulls, opened } = createSource(20);
    const pulled = pulls.pull("a", {});
    opened[0]?.say(layer);
    await expect(pulled).rejects.toMatchObject({ failure: "internal", message: 'Cannot pull "a": its registry has sent nothing for 0.02 s' });
    expect(opened[0]?.signal.aborted).toBe(true);
  });

  it("does not share between credentials", () => {
    const { pulls, opened } = createSource();
    void pulls.pull("a", {});
    void pulls.pull("a", { credential: { username: "u", password: "p" } });
    void pulls.pull("a", { credential: { username: "u", password: "q" } });
    expect(opened).toHaveLength(3);
  });

  it("goes on until the last who waits has left, and begins anew after that", async () => {
    const { pulls, opened } = createSource();
    const [one, two] = [new AbortController(), new AbortController()];
    const first = pulls.pull("a", { signal: one.signal });
    const second = pulls.pull("a", { signal: two.signal });
    one.abort(new Error("one left"));
    await expect(first).rejects.toThrow("one left");
    expect(opened[0]?.signal.aborted).toBe(false);
    two.abort(new Error("two left"));
    await expect(second).rejects.toThrow("two left");
    expect(opened[0]?.signal.aborted).toBe(true);
    const third = pulls.pull("a", {});
    opened[1]?.end();
    await third;
  });

  it("fails for all who wait when a line carries an error, and can be tried again", async () => {
    const { pulls, opened } = createSource();
    const both = [pulls.pull("a", {}), pulls.pull("a", {})];
    opened[0]?.say({ error: "no space left on device", errorDetail: { message: "no space left on device" } });
    for (const each of both) await expect(each).rejects.toMatchObject({ name: "EngineError", failure: "internal", status: 200, message: 'Cannot pull "a": no space left on device' });
    const again = pulls.pull("a", {});
    opened[1]?.end();
    await again;
  });

  it("goes by the code that a line carries", async () => {
    const { pulls, opened } = createSource();
    const pulled = pulls.pull("a", {});
    opened[0]?.say({ error: "whatever", errorDetail: { code: 404, message: "whatever" } });
    await expect(pulled).rejects.toMatchObject({ failure: "not_found", status: 404 });
  });
});

describe("createPullCounter()", () => {
  it("sums layers up, and leaves out lines about the image", () => {
    const counter = createPullCounter();
    const lines: PullLine[] = [
      { id: "latest", status: "Pulling from library/x" },
      layer,
      { id: "bbb", status: "Already exists" },
      { id: "aaa", status: "Downloading", progressDetail: { current: 40, total: 100 } },
    ];
    expect(lines.map((line) => counter.add(line))).toEqual([false, true, true, true]);
    expect(counter.progress).toEqual({ layers: 2, layersDone: 1, bytes: 100, bytesDone: 40 });
    for (const status of ["Verifying Checksum", "Download complete", "Extracting", "Pull complete"]) counter.add({ id: "aaa", status, progressDetail: { current: 3, total: 7 } });
    expect(counter.progress).toEqual({ layers: 2, layersDone: 2, bytes: 100, bytesDone: 100 });
  });
});

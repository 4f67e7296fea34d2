import type { Ask, PullProgress } from "@longshore/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import { EngineError } from "../engine/engine.ts";
import { settled } from "../instances/testing/pool-scene.ts";
import { KnownRevisions } from "../run/revisions.ts";
import { testImage, testRevision } from "../testing/revision.ts";
import { type AskedParts, createAskHandler } from "./asks.ts";

const revision = testRevision();
const image = testImage();
const progress = (bytesDone: number): PullProgress => ({ layers: 1, layersDone: 0, bytes: 100, bytesDone });
const signal = new AbortController().signal;

/** Parts that write down what is asked of them. */
function scene() {
  const told: unknown[][] = [];
  const tell = (name: string) => (...args: unknown[]) => void told.push([name, ...args]);
  const revisions = new KnownRevisions();
  const pulls: { onProgress: (progress: PullProgress) => void; succeed: () => void; fail: (error: Error) => void; signal: AbortSignal | undefined }[] = [];
  const made = {
    told,
    revisions,
    pulls,
    present: undefined as typeof image | undefined,
    ensureFailure: undefined as Error | undefined,
    ask: (ask: Ask) => createAskHandler(parts)(ask, signal),
  };
  const parts = {
    engine: {
      inspectImage: async () => made.present,
      pullImage: (_reference, options) =>
        new Promise((resolve, reject) => {
          pulls.push({ onProgress: (latest) => options.onProgress?.(latest), succeed: () => resolve(image), fail: reject, signal: options.signal });
        }),
    },
    images: {
      ensure: async (_revision, credential) => {
        told.push(["ensure", credential]);
        if (made.ensureFailure !== undefined) throw made.ensureFailure;
        return image;
      },
      isPresent: () => true,
      presentRevisions: [],
      forget: tell("forget"),
    },
    pool: { hold: tell("hold"), retire: tell("retire") } as Partial<AskedParts["pool"]> as AskedParts["pool"],
    revisions,
    adoption: { revisionKnown: tell("known") } as Partial<AskedParts["adoption"]> as AskedParts["adoption"],
    logs: { read: () => lines() } as Partial<AskedParts["logs"]> as AskedParts["logs"],
    accepted: {
      settle: async (attempts) => void told.push(["settle", attempts]),
      confirm: (attempts) => {
        told.push(["confirm", attempts]);
        return { unknown: [], waiting: [] };
      },
      answer: () => lines(),
      holdings: { running: [{ invocationId: "i1", attempt: 2 }], waiting: [], unreadable: 0 },
    },
    introduce: tell("introduce"),
    drain: async (deadlineMs) => void told.push(["drain", deadlineMs]),
    resume: tell("resume"),
  } satisfies AskedParts;
  return made;
}

 
async function* lines(): AsyncGenerator<never> {}

describe("what a broker asks", () => {
  let made: ReturnType<typeof scene>;
  beforeEach(() => (made = scene()));

  it("to prepare a revision brings its image first, then adopts what there is and holds", async () => {
    await made.ask({ ask: "prepare", revision, held: 2, minimum: 1, credential: { username: "u", password: "p" } });
    expect(made.revisions.find(revision.digest)).toBe(revision);
    expect(made.told).toEqual([["ensure", { username: "u", password: "p" }], ["known", revision], ["hold", revision, 2, 1]]);
  });

  it("to prepare a revision whose image cannot be had holds nothing, but knows it", async () => {
    made.ensureFailure = new Error("no image");
    await expect(made.ask({ ask: "prepare", revision, held: 1, minimum: 0 })).rejects.toThrow("no image");
    expect(made.told).toEqual([["ensure", undefined]]);
    expect(made.revisions.find(revision.digest)).toBe(revision);
  });

  it("reaches the part that it is for", async () => {
    await made.ask({ ask: "retire", revisionDigest: "d" });
    await made.ask({ ask: "drain", deadlineMs: 5 });
    await made.ask({ ask: "resume" });
    await made.ask({ ask: "introduce" });
    await made.ask({ ask: "settle", attempts: [] });
    expect(await made.ask({ ask: "confirm", attempts: [] })).toEqual({ unknown: [], waiting: [] });
    expect(await made.ask({ ask: "holdings" })).toEqual({ running: [{ invocationId: "i1", attempt: 2 }], waiting: [], unreadable: 0 });
    expect(made.told).toEqual([["forget", "d"], ["retire", "d"], ["drain", 5], ["resume"], ["introduce"], ["settle", []], ["confirm", []]]);
    const answered = made.ask({ ask: "logs", tenantId: "default", tail: 1, follow: false });
    expect(Symbol.asyncIterator in answered).toBe(true);
  });
});

describe("an image", () => {
  const inspect = (made: ReturnType<typeof scene>, pull = true) => (made.ask({ ask: "inspect_image", reference: "app:1", pull }) as AsyncIterable<unknown>)[Symbol.asyncIterator]();

  it("that is there is told at once", async () => {
    const made = scene();
    made.present = image;
    const answer = inspect(made);
    expect(await answer.next()).toEqual({ done: false, value: { image } });
    expect((await answer.next()).done).toBe(true);
    expect(made.pulls).toEqual([]);
  });

  it("that came from a registry under a tag is asked for again, and one of a digest is not", async () => {
    const made = scene();
    made.present = { ...image, repositoryDigests: [`app@sha256:${"a".repeat(64)}`] };
    const answer = inspect(made).next();
    await settled();
    made.pulls[0]?.succeed();
    expect((await answer).value).toEqual({ image });
    const pinned = made.ask({ ask: "inspect_image", reference: `app@sha256:${"a".repeat(64)}`, pull: true }) as AsyncIterable<unknown>;
    expect(await pinned[Symbol.asyncIterator]().next()).toMatchObject({ value: { image: made.present } });
    expect(made.pulls).toHaveLength(1);
  });

  it("that is not there is not brought unasked", async () => {
    await expect(inspect(scene(), false).next()).rejects.toMatchObject({ reason: "image_not_found", phase: "placement" });
  });

  it("is brought with its progress, the newest each time, and told last", async () => {
    const made = scene();
    const answer = inspect(made);
    const first = answer.next();
    await settled();
    made.pulls[0]?.onProgress(progress(1));
    made.pulls[0]?.onProgress(progress(2));
    expect(made.pulls[0]?.signal).toBe(signal);
    expect((await first).value).toEqual({ progress: progress(2) });
    made.pulls[0]?.onProgress(progress(3)); // While nobody asks for more.
    expect((await answer.next()).value).toEqual({ progress: progress(3) });
    const last = answer.next();
    await settled();
    made.pulls[0]?.succeed();
    expect((await last).value).toEqual({ image });
    expect((await answer.next()).done).toBe(true);
  });

  it.each([
    [new EngineError("not_found", 404, "manifest unknown"), "image_not_found"],
    [new EngineError("internal", 500, "toomanyrequests"), "image_pull_failed"],
    [new EngineError("denied", 401, "authentication required"), "registry_denied"],
    [new EngineError("wrong_architecture", 200, "the image is for arm64"), "wrong_architecture"],
    [new EngineError("unreachable", 0, "ECONNREFUSED"), "engine_unavailable"],
    [new Error("what?"), "unexpected"],
  ])("that cannot be had says why (%o)", async (error, reason) => {
    const made = scene();
    const answer = inspect(made).next();
    await settled();
    made.pulls[0]?.fail(error);
    await expect(answer).rejects.toMatchObject({ reason });
  });
});

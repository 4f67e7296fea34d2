import { createInvocationId, inlineBodyBytes, windowBytes } from "@longshore/protocol";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AnswerFolder } from "../journal/answer-files.ts";
import { KeptAnswer } from "./kept-answer.ts";
import { MemoryAnswers } from "./testing/memory-answers.ts";

const key = () => ({ invocationId: createInvocationId(), attempt: 1 });

function scene(roomBytes = 10_000_000) {
  const [answers, attempt] = [new MemoryAnswers(), key()];
  const made = { answers, attempt, drained: 0 };
  const kept = new KeptAnswer({ create: () => answers.create(attempt), remove: () => answers.remove(attempt), roomBytes: () => roomBytes - answers.totalBytes, drained: () => void (made.drained += 1) });
  return Object.assign(made, { kept });
}

describe("an answer that is kept", () => {
  it.each([inlineBodyBytes - 1, inlineBodyBytes])("is in memory up to 256 KiB (%i)", async (length) => {
    const { kept, answers } = scene();
    const bytes = randomBytes(length);
    for (let at = 0; at < length; at += 100_000) expect(kept.add(bytes.subarray(at, at + 100_000))).toBe(true);
    expect(await kept.whole()).toEqual({ body: bytes });
    expect(answers.kept.size).toBe(0);
  });

  it("goes to its file beyond, all of it, no faster than the disk takes it", async () => {
    const made = scene();
    const { promise, resolve } = Promise.withResolvers<void>();
    made.answers.writing = promise;
    const bytes = randomBytes(windowBytes + 100_000);
    const hasRoom = [0, 1, 2, 3, 4, 5].map((index) => made.kept.add(bytes.subarray(index * 110_000, (index + 1) * 110_000)));
    expect(hasRoom).toEqual([true, true, true, true, false, false]);
    resolve();
    expect(await made.kept.whole()).toBe("in its file");
    await new Promise((settled) => setImmediate(settled));
    expect(made.drained).toBe(1);
    expect(Buffer.concat([...made.answers.kept.values()].flat()).equals(bytes.subarray(0, 660_000))).toBe(true);
  });

  it("is counted, and nothing of it kept, where the disk has no room for it or does not take it", async () => {
    for (const fails of [false, true]) {
      const { kept, answers } = scene(fails ? undefined : 500_000);
      if (fails) answers.failing = new Error("ENOSPC");
      for (let part = 0; part < 8; part += 1) kept.add(randomBytes(100_000));
      expect([await kept.whole(), kept.byteLength, answers.kept.size]).toEqual(["nothing", 800_000, 0]);
    }
  });

  it("leaves nothing once it is dropped", async () => {
    const { kept, answers } = scene();
    kept.add(randomBytes(400_000));
    await kept.drop();
    expect([await kept.whole(), kept.byteLength, answers.kept.size]).toEqual(["nothing", 0, 0]);
  });
});

describe("long answers on disk", () => {
  it("outlive their process as long as their results wait, and no others do", async () => {
    const folder = await mkdtemp(join(tmpdir(), "longshore-answers-"));
    try {
      const [waiting, other] = [key(), key()];
      const answers = await AnswerFolder.open(folder, []);
      const bytes = randomBytes(400_001);
      for (const each of [waiting, other]) {
        const file = answers.create(each);
        await Promise.all([file.write(bytes.subarray(0, 150_000)), file.write(bytes.subarray(150_000))]);
        await file.keep();
      }
      expect(answers.totalBytes).toBe(800_002);
      const later = await AnswerFolder.open(folder, [waiting]);
      expect([later.totalBytes, (await readdir(folder)).length]).toEqual([400_001, 1]);
      const parts: Uint8Array[] = [];
      for await (const part of later.read(waiting)) parts.push(part);
      expect(Buffer.concat(parts).equals(bytes)).toBe(true);
      await later.remove(waiting);
      expect([later.totalBytes, await readdir(folder)]).toEqual([0, []]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

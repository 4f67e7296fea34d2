import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Attachment } from "../../packages/agent/src/engine/engine.ts";
import type { CapturedOutput } from "../../packages/agent/src/engine/testing/captured-output.ts";
import { type AgentEngine, createAgentEngine } from "../support/agent-engine.ts";

const mebibyte = 2 ** 20;

describe("an attachment", () => {
  let agent: AgentEngine;

  beforeAll(async () => {
    agent = await createAgentEngine();
  });
  afterEach(async () => {
    await Promise.all((await agent.engine.listOwned()).map(({ id }) => agent.engine.removeContainer(id)));
  });
  afterAll(() => agent.close());

  /** Writes as fast as the container takes it. */
  const feed = async (attachment: Attachment, output: CapturedOutput, bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; at += 100_000) {
      const hasRoom = attachment.write(bytes.subarray(at, at + 100_000));
      if (!hasRoom) await output.drained();
    }
    attachment.endInput();
  };

  it("carries 5 MB there and back on both outputs, byte for byte", async () => {
    const bytes = randomBytes(5_000_000);
    const { id, attachment, output } = await agent.start(agent.shell("exec tee /dev/stderr", { stdin: true }));
    await feed(attachment, output, bytes);
    expect(await output.ended).toBeUndefined();
    expect([output.stdout.equals(bytes), output.stderr.equals(bytes)]).toEqual([true, true]);
    expect(await agent.engine.waitExit(id)).toMatchObject({ exitCode: 0 });
  });

  it("puts nothing on stdin that nobody wrote", async () => {
    const { attachment, output } = await agent.start(agent.shell("exec od -c", { stdin: true }));
    attachment.endInput();
    await output.ended;
    expect(output.stdout.toString().trim()).toBe("0000000");
  });

  it("loses nothing of programs that write at once and are gone", async () => {
    for (let round = 0; round < 5; round++) expect(await agent.run("echo out; echo err >&2")).toMatchObject({ stdout: "out\n", stderr: "err\n" });
  });

  it("delivers the whole output of a program that leaves its input unread", async () => {
    const { attachment, output } = await agent.start(agent.shell("head -c 10 >/dev/null; head -c 600000 /dev/zero", { stdin: true }));
    attachment.write(new Uint8Array(4 * mebibyte));
    expect(await output.ended).toBeUndefined();
    expect(output.stdout.length).toBe(600_000);
  });

  it("holds a program back while paused, within bounded memory", async () => {
    const spec = agent.shell(`exec head -c ${200 * mebibyte} /dev/zero`);
    const id = await agent.engine.createContainer(spec);
    const attachment = await agent.engine.attach(id, { stdin: false });
    let bytes = 0;
    const first = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    attachment.listen({
      onStdout(chunk) {
        if (bytes === 0) {
          attachment.pause();
          first.resolve();
        }
        bytes += chunk.length;
      },
      onStderr() {},
      onEnd: () => ended.resolve(),
    });
    const { pid } = await agent.engine.startContainer(id);
    await first.promise;
    expect(await writtenOnceBlocked(pid)).toBeLessThan(32 * mebibyte);
    expect(bytes).toBeLessThan(mebibyte);
    attachment.resume();
    await ended.promise;
    expect(bytes).toBe(200 * mebibyte);
  });
});

/** What a process has written by the time it writes no more. */
async function writtenOnceBlocked(pid: number): Promise<number> {
  const written = () => Number(/wchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1]);
  for (let before = -1; ; before = written()) {
    await delay(200);
    if (written() === before) return before;
  }
}

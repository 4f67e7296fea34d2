import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { testImage, testRevision } from "../testing/revision.ts";
import { createStdioContract } from "./stdio.ts";
import { contractCall } from "./testing/contract-call.ts";
import { RecordedAnswer } from "./testing/recorded-answer.ts";
import { StdioScene, trailerOf } from "./testing/stdio-scene.ts";
import { RecordedSuspension } from "../testing/recorded-suspension.ts";

const finished = (result: object) => ({ kind: "finished", result, reusable: false });
const succeeded = finished({ outcome: "succeeded", exitCode: 0 });
const outOfMemory = "A process of the program ran out of memory";

describe("the stdio contract", () => {
  it("starts its program under hold, and is ready at once", async () => {
    const contract = createStdioContract();
    const revision = testRevision({ contract: "stdio" });
    const plan = contract.plan(revision, testImage());
    expect(plan).toEqual({ mode: "run", env: [], port: undefined });
    const instance = { instanceId: "i", revision, address: { ip: "", gateway: "", pid: 0 }, plan, streams: undefined, exited: new Promise<never>(() => undefined), suspension: new RecordedSuspension() };
    await contract.ready(instance, new AbortController().signal);
    expect(() => contract.invoke(instance, contractCall(), new RecordedAnswer())).toThrow("no streams");
    contract.release(instance);
  });

  it("tells the program which invocation it serves, and nothing that the caller sent", () => {
    const changes = { traceparent: "00-a-b-01", target: "/secret", headers: [["X-Evil", "PATH=/tmp"]], deadlineAtMs: 1_700_000_000_000.4 } as const;
    expect(new StdioScene("trailer", changes).env).toEqual([
      "LONGSHORE_FUNCTION=wc",
      "LONGSHORE_REVISION=wc-r1",
      `LONGSHORE_INVOCATION_ID=${contractCall().invocationId}`,
      "LONGSHORE_DEADLINE_MS=1700000000000",
      "TRACEPARENT=00-a-b-01",
    ]);
    expect(new StdioScene("trailer").env.join()).not.toContain("TRACEPARENT");
  });

  describe.each(["trailer", "exit"] as const)("with an end told by %s", (kind) => {
    /** The program ends well. */
    const end = async (scene: StdioScene) => {
      if (kind === "trailer") return scene.trailer();
      scene.exit({ exitCode: 0 });
      scene.streams.end();
    };

    it("gives the program its body, then the end of input, and passes its output on", async () => {
      const scene = new StdioScene(kind, { method: "POST", body: "one two three" });
      expect((await scene.readAll()).toString()).toBe("one two three");
      await scene.print("3\n");
      await end(scene);
      expect(await scene.answer.ended).toEqual(succeeded);
      expect({ head: scene.answer.began, body: scene.answer.body.toString() }).toEqual({ head: { headers: [["content-type", "application/octet-stream"]] }, body: "3\n" });
    });

    it("gives it an empty input where there is no body, and an empty answer where it wrote nothing", async () => {
      const scene = new StdioScene(kind, { contentType: "text/plain" });
      expect(await scene.read()).toBeUndefined();
      await end(scene);
      expect(await scene.answer.ended).toEqual(succeeded);
      expect(scene.answer).toMatchObject({ began: { headers: [["content-type", "text/plain"]] }, bodyBytes: 0, parts: [] });
    });

    it("gives it a body that comes in parts, and ends its input with it", async () => {
      const scene = new StdioScene(kind, { body: "one ", more: true });
      expect((await scene.read())?.toString()).toBe("one ");
      scene.run.write(Buffer.from("two"));
      expect((await scene.read())?.toString()).toBe("two");
      scene.run.endRequest();
      expect(await scene.read()).toBeUndefined();
      await end(scene);
      expect(await scene.answer.ended).toEqual(succeeded);
    });

    it("passes output on as it comes, before the end", async () => {
      const scene = new StdioScene(kind);
      for (const word of ["one", "two", "three"]) {
        await scene.print(word);
        await scene.answer.until(() => scene.answer.body.toString().endsWith(word));
      }
      expect(scene.answer.parts).toHaveLength(3);
      await end(scene);
      expect(await scene.answer.ended).toEqual(succeeded);
    });

    it("keeps stderr for the logs", async () => {
      const scene = new StdioScene(kind);
      await scene.print("warning: old\n", "stderr");
      await scene.print("out");
      await end(scene);
      await scene.answer.ended;
      expect({ ...scene.answer.logged, body: scene.answer.body.toString() }).toEqual({ stdout: "", stderr: "warning: old\n", body: "out" });
    });

    it("carries 3 MB there and back, byte for byte, cut as they may be", async () => {
      const bytes = randomBytes(3_000_000);
      const scene = new StdioScene(kind, { body: bytes.subarray(0, 1000), more: true });
      const program = (async () => {
        for (let piece = await scene.read(); piece !== undefined; piece = await scene.read()) {
          for (let at = 0; at < piece.length; at += 7_001) await scene.print(piece.subarray(at, at + 7_001));
        }
        await end(scene);
      })();
      for (let at = 1000; at < bytes.length; at += 50_000) {
        const drains = scene.answer.drains;
        if (!scene.run.write(bytes.subarray(at, at + 50_000))) await scene.answer.until(() => scene.answer.drains > drains);
      }
      scene.run.endRequest();
      await program;
      expect(await scene.answer.ended).toEqual(succeeded);
      expect(scene.answer.body.equals(bytes)).toBe(true);
    });

    it("counts a program that ends with input unread as well as any other, and lets go of the rest", async () => {
      const scene = new StdioScene(kind, { body: "first line\n", more: true });
      const part = Buffer.alloc(100_000);
      expect(scene.run.write(part)).toBe(false);
      await scene.print("first line\n");
      await end(scene);
      expect(await scene.answer.ended).toEqual(succeeded);
      expect(scene.answer.drains).toBeGreaterThan(0);
      expect(scene.run.write(part)).toBe(true);
      scene.run.endRequest();
    });

    it("holds back a program whose output nobody takes", async () => {
      const scene = new StdioScene(kind);
      await scene.print("begun");
      await scene.answer.until(() => scene.answer.byteLength === 5);
      scene.run.pause();
      let written = 0;
      const program = (async () => {
        for (; written < 2_000_000; written += 10_000) await scene.print(Buffer.alloc(10_000));
        await end(scene);
      })();
      for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
      expect(scene.answer.byteLength).toBe(5);
      expect(written).toBeLessThan(100_000);
      scene.run.resume();
      await program;
      expect(await scene.answer.ended).toEqual(succeeded);
      expect(scene.answer.byteLength).toBe(2_000_005);
    });

    it("says no more once it is cancelled, and reads on so that the program can be ended", async () => {
      const scene = new StdioScene(kind, { more: true });
      await scene.print("begun");
      await scene.answer.until(() => scene.answer.byteLength === 5);
      scene.run.pause();
      scene.run.abort();
      for (let part = 0; part < 50; part += 1) await scene.print(Buffer.alloc(10_000));
      await scene.print("words", "stderr");
      await end(scene);
      for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
      scene.run.pause();
      expect(scene.run.write(Buffer.from("late"))).toBe(true);
      expect({ ending: scene.answer.ending, bytes: scene.answer.byteLength, logged: scene.answer.logged.stderr }).toEqual({ ending: undefined, bytes: 5, logged: "" });
    });
  });

  describe("told by the trailer", () => {
    it.each([
      [{ value: 3 }, { outcome: "failed", exitCode: 3, message: "The program exited with code 3" }],
      [{ value: 127 }, { outcome: "failed", exitCode: 127, message: "The program exited with code 127" }],
      [{ value: 137 }, { outcome: "failed", exitCode: 137, message: "The program exited with code 137" }],
      [{ kind: "signalled", value: 11 }, { outcome: "failed", signal: "SIGSEGV", message: "The program was ended by SIGSEGV" }],
      [{ kind: "signalled", value: 9 }, { outcome: "failed", signal: "SIGKILL", message: "The program was ended by SIGKILL" }],
      [{ kind: "signalled", value: 9, oomKills: 1 }, { outcome: "oom_killed", signal: "SIGKILL", message: outOfMemory }],
      [{ value: 0, oomKills: 1 }, { outcome: "oom_killed", exitCode: 0, message: outOfMemory }],
      [{ value: 1, oomKills: 2 }, { outcome: "oom_killed", exitCode: 1, message: outOfMemory }],
      [{ value: 0, oomKills: 0xffff_ffff }, { outcome: "succeeded", exitCode: 0 }],
    ] as const)("%j is %j", async (ending, result) => {
      const scene = new StdioScene("trailer");
      await scene.print("some");
      await scene.trailer(ending);
      expect(await scene.answer.ended).toEqual(finished(result));
      expect(scene.answer.body.toString()).toBe("some");
    });

    it.each([["stdout", "stderr"], ["stderr", "stdout"]] as const)("the end waits for both streams, of which %s may overtake", async (first, second) => {
      const scene = new StdioScene("trailer");
      await scene.trailer({}, [first]);
      await scene.print("last words", second);
      await scene.answer.until(() => scene.answer.byteLength + scene.answer.logged.stderr.length === 10);
      expect(scene.answer.ending).toBeUndefined();
      await scene.trailer({}, [second]);
      expect(await scene.answer.ended).toEqual(succeeded);
    });

    it("a trailer is no part of the answer, wherever it is cut", async () => {
      const trailer = trailerOf({ value: 4 });
      for (let at = 0; at <= trailer.length; at += 1) {
        const scene = new StdioScene("trailer");
        await scene.print(Buffer.concat([Buffer.from("out"), trailer.subarray(0, at)]));
        await scene.print(trailer.subarray(at));
        await scene.trailer({ value: 4 }, ["stderr"]);
        expect(await scene.answer.ended).toMatchObject({ result: { outcome: "failed", exitCode: 4 } });
        expect(scene.answer.body.toString()).toBe("out");
      }
    });

    it.each([
      [127, "hold: Cannot start \"nope\": not found in PATH\n", "hold: Cannot start \"nope\": not found in PATH"],
      [127, "", "there is no such program in the image"],
      [126, "", "its program cannot be executed"],
    ])("a program that never began (%i) is our own error, with what was said of it", async (value, words, reason) => {
      const scene = new StdioScene("trailer");
      await scene.print(words, "stderr");
      await scene.trailer({ kind: "not_started", value });
      const error = expect.objectContaining({ reason: "instance_start_failed", phase: "startup", message: `Cannot start instance of "wc": ${reason}` });
      expect(await scene.answer.ended).toEqual({ kind: "refused", error, reusable: false });
      expect(scene.answer.began).toBeUndefined();
    });

    it("one trailer is enough where the streams end", async () => {
      const scene = new StdioScene("trailer");
      await scene.trailer({ value: 2 }, ["stderr"]);
      scene.streams.end();
      expect(await scene.answer.ended).toMatchObject({ result: { outcome: "failed", exitCode: 2 } });
    });

    it("streams that end without one leave it to the engine, and lose nothing that looked like the beginning of one", async () => {
      const scene = new StdioScene("trailer");
      const beginning = trailerOf().subarray(0, 10);
      await scene.print(beginning);
      await scene.print(beginning, "stderr");
      scene.streams.end();
      expect(await scene.answer.ended).toEqual({ kind: "broken", message: "The program's streams ended without telling how it ended", notStarted: false });
      expect(scene.answer.body.equals(beginning)).toBe(true);
      expect(scene.answer.logged.stderr).not.toBe("");
    });

    it("a connection that breaks leaves it to the engine too", async () => {
      const scene = new StdioScene("trailer");
      await scene.print("half");
      await scene.answer.until(() => scene.answer.byteLength === 4);
      scene.streams.end(new Error("reset"));
      expect(await scene.answer.ended).toMatchObject({ kind: "broken", notStarted: false });
    });
  });

  describe("told by the engine", () => {
    it.each([
      [{ exitCode: 3 }, { outcome: "failed", exitCode: 3, message: "The program exited with code 3" }],
      [{ exitCode: 139 }, { outcome: "failed", signal: "SIGSEGV", message: "The program was ended by SIGSEGV" }],
      [{ exitCode: 137, oomKilled: true }, { outcome: "oom_killed", signal: "SIGKILL", message: outOfMemory }],
      [{ exitCode: 0, oomKilled: true }, { outcome: "oom_killed", exitCode: 0, message: outOfMemory }],
    ])("%j is %j", async (state, result) => {
      const scene = new StdioScene("exit");
      scene.exit(state);
      scene.streams.end();
      expect(await scene.answer.ended).toEqual(finished(result));
    });

    it.each(["exit first", "streams first"])("the end waits for exit and output alike (%s)", async (order) => {
      const scene = new StdioScene("exit");
      await scene.print("words");
      if (order === "exit first") scene.exit({ exitCode: 0 });
      else scene.streams.end();
      for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
      expect(scene.answer.ending).toBeUndefined();
      if (order === "exit first") scene.streams.end();
      else scene.exit({ exitCode: 0 });
      expect(await scene.answer.ended).toEqual(succeeded);
      expect(scene.answer.body.toString()).toBe("words");
    });

    it("a container that was removed may have run", async () => {
      const scene = new StdioScene("exit");
      scene.exit({ exitCode: undefined });
      scene.streams.end();
      expect(await scene.answer.ended).toEqual({ kind: "broken", message: "The container was removed", notStarted: false });
    });

    it.each([["internal", "instance_start_failed"], ["unreachable", "engine_unavailable"]] as const)("one that could not be started (%s) is our own error, %s", async (failure, reason) => {
      const scene = new StdioScene("exit");
      scene.failToStart(failure);
      const error = expect.objectContaining({ reason, phase: "startup", message: "Cannot start instance of \"wc\": no space left" });
      expect(await scene.answer.ended).toEqual({ kind: "refused", error, reusable: false });
    });
  });
});

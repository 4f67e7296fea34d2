import { LongshoreError } from "@longshore/protocol";
import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import type { CallOptions, Fleet } from "../fleet.ts";
import { callOf } from "../testing/fake-fleet.ts";
import { runLine } from "../testing/run-line.ts";

const echo = { call: callOf((body) => ({ chunks: [body] })) };
const everyByte = Uint8Array.from({ length: 65_536 }, (_, index) => index % 256);

/** A fleet that remembers what it was asked. */
function recording(): { fleet: Partial<Fleet>; asked: { name: string; options: CallOptions }[] } {
  const asked: { name: string; options: CallOptions }[] = [];
  return { asked, fleet: { call: (name, body, options) => (asked.push({ name, options }), echo.call(name, body, options)) } };
}

describe("longshore invoke", () => {
  it("passes stdin to stdout byte for byte, and nothing else", async () => {
    const outcome = await runLine(["invoke", "echo"], { fleet: echo, input: everyByte });
    expect(Buffer.compare(outcome.stdoutBytes, everyByte)).toBe(0);
    expect(outcome).toMatchObject({ exitCode: 0, stderr: "", isFleetClosed: true });
  });

  it("sends the text of -d, a file, or stdin by name; nothing from a terminal", async () => {
    expect((await runLine(["invoke", "echo", "-d", "hello"], { fleet: echo, input: "not this" })).stdout).toBe("hello");
    expect((await runLine(["invoke", "echo", "-d", `@${import.meta.filename}`], { fleet: echo })).stdout).toContain("longshore invoke");
    expect((await runLine(["invoke", "echo", "-d", "@-"], { fleet: echo, input: "piped" })).stdout).toBe("piped");
    expect((await runLine(["invoke", "echo"], { fleet: echo })).stdout).toBe("");
    expect(await runLine(["invoke", "echo", "-d", "@/none"], { fleet: echo })).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("Cannot read /none") });
  });

  it("says where, how long, under which id, with which request", async () => {
    const { fleet, asked } = recording();
    const id = "0197a7c6-5f3e-7b12-9c58-0d8a4be3f002";
    await runLine(["invoke", "echo", "--where", "label.gpu=true", "--site", "plant", "-t", "500ms", "--id", id, "-H", "X-A: 1: 2", "-H", "x-a:3", "-X", "put", "--path", "a?b=c"], { fleet });
    expect(asked[0]).toMatchObject({
      name: "echo",
      options: { where: "site=plant,label.gpu=true", timeoutMs: 500, invocationId: id, headers: [["X-A", "1: 2"], ["x-a", "3"]], method: "PUT", path: "/a?b=c" },
    });
    await runLine(["invoke", "echo"], { fleet });
    expect(Object.keys(asked[1]?.options ?? {})).toEqual(["signal"]);
  });

  it.each([
    [["--where", "moon"], /--where: "moon" is not key=value/],
    [["--timeout", "5"], /--timeout "5": expected a whole number with/],
    [["--id", "7"], /Cannot use "7" as --id/],
    [["-H", "x"], /--header "x": expected NAME: VALUE/],
  ])("refuses %j before anything is sent", async (words, message) => {
    const { fleet, asked } = recording();
    const outcome = await runLine(["invoke", "echo", ...words], { fleet });
    expect(outcome).toMatchObject({ exitCode: 2, stdout: "" });
    expect(outcome.stderr).toMatch(message);
    expect(asked).toEqual([]);
  });

  it.each([
    [["--key", "k", "--id", "0197a7c6-5f3e-7b12-9c58-0d8a4be3f002"], /both --key and --id/],
    [["--delay", "5m"], /--delay alone: it is for --async/],
    [["--max-age", "5m"], /--max-age alone/],
    [["--async", "-X", "PUT"], /--method and --async/],
    [["--async", "-i"], /--include and --async/],
    [["--async", "--delay", "5m", "--not-before", "2026-12-24T18:00:00Z"], /both --delay and --not-before/],
    [["--async", "--not-before", "2026-12-24T18:00:00"], /--not-before "2026-12-24T18:00:00": expected a time with its zone/],
    [["--async", "--delay", "soon"], /--delay "soon"/],
  ])("refuses %j before anything is sent", async (words, message) => {
    const outcome = await runLine(["invoke", "echo", ...words], {});
    expect(outcome).toMatchObject({ exitCode: 2, stdout: "" });
    expect(outcome.stderr).toMatch(message);
  });

  it("with --async prints the id once it is accepted, and waits for nothing", async () => {
    const asked: unknown[] = [];
    const enqueue: Fleet["enqueue"] = async (name, body, options) => (asked.push([name, new TextDecoder().decode(body as Uint8Array), options]), { invocationId: "0197a7c6-5f3e-7b12-9c58-0d8a4be3f001" });
    const line = ["invoke", "echo", "-d", "x", "--async", "--not-before", "2026-12-24T19:00:00+01:00", "--max-age", "1h", "--key", "order-7", "--site", "plant", "-t", "5s", "-H", "x-a: 1"];
    expect(await runLine(line, { fleet: { enqueue } })).toMatchObject({ exitCode: 0, stdout: "0197a7c6-5f3e-7b12-9c58-0d8a4be3f001\n", stderr: "" });
    expect(asked).toEqual([["echo", "x", { where: "site=plant", timeoutMs: 5_000, idempotencyKey: "order-7", headers: [["x-a", "1"]], notBefore: new Date("2026-12-24T18:00:00Z"), maxAgeMs: 3_600_000 }]]);
    expect((await runLine(["invoke", "echo", "--async", "--delay", "5m", "--json"], { fleet: { enqueue } })).stdout).toBe('{"invocationId":"0197a7c6-5f3e-7b12-9c58-0d8a4be3f001"}\n');
    expect(asked[1]).toMatchObject(["echo", "", { delayMs: 300_000 }]);
  });

  it("with --key sends it along, and waits", async () => {
    const { fleet, asked } = recording();
    expect((await runLine(["invoke", "echo", "-d", "x", "--key", "order-7"], { fleet })).stdout).toBe("x");
    expect(asked[0]!.options.idempotencyKey).toBe("order-7");
  });

  it("tells with -i where it ran, on stderr", async () => {
    const { stdout, stderr } = await runLine(["invoke", "echo", "-i", "-d", "x"], { fleet: { call: callOf((body) => ({ chunks: [body], status: 200 })) } });
    expect(stdout).toBe("x");
    expect(stderr).toMatch(/^HTTP 200 · plant\/plant-1 · warm · 0197a7c6-\S+\ncontent-type: text\/plain\nsucceeded after \d/);
  });

  it("shows a failed function's output, reason and the end of its stderr", async () => {
    const result = { outcome: "failed", exitCode: 3, message: "the program exited", stderrTail: "cannot open\u001b[31m\nbye\n" } as const;
    const outcome = await runLine(["invoke", "bad"], { fleet: { call: callOf(() => ({ chunks: [Buffer.from("part")], result })) } });
    expect(outcome).toMatchObject({ exitCode: 1, stdout: "part" });
    expect(outcome.stderr).toBe('longshore: Function "bad" failed (exit code 3): the program exited\n  the end of its stderr:\n  | cannot open\\x1b[31m\n  | bye\n');
  });

  it.each([[[], "part"], [["--json"], '"body":"part"']])("tells the result of an answer that broke off with its program, %j", async (flags, printed) => {
    const result = { outcome: "failed", exitCode: 7 } as const;
    const steps = [
      (controller: ReadableStreamDefaultController<Uint8Array>) => controller.enqueue(Buffer.from("part")),
      (controller: ReadableStreamDefaultController<Uint8Array>) => controller.error(new LongshoreError("body_incomplete", "The program exited with code 7", { phase: "execution" })),
    ];
    const body = new ReadableStream<Uint8Array>({ pull: (controller) => steps.shift()?.(controller) }, { highWaterMark: 0 });
    const outcome = await runLine(["invoke", "bad", ...flags], { fleet: { call: callOf(() => ({ body, result })) } });
    expect(outcome.exitCode, outcome.stderr).toBe(1);
    expect(outcome.stdout).toContain(printed);
  });

  it.each([
    ["what became of it is not known", undefined],
    ["its program did well", { outcome: "succeeded" } as const],
  ])("tells what broke an answer off when %s", async (_when, result) => {
    const broken = new LongshoreError("connection_lost", "The connection is gone", { phase: "execution" });
    const call: Fleet["call"] = async (...asked) => ({
      ...(await callOf(() => ({}))(...asked)),
      body: new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(broken) }),
      result: result === undefined ? Promise.reject(broken) : Promise.resolve(result),
    });
    expect(await runLine(["invoke", "x"], { fleet: { call } })).toMatchObject({ exitCode: 5, stderr: expect.stringContaining("The connection is gone") });
  });

  it.each([["timed_out", 4, "timed out"], ["oom_killed", 1, "ran out of memory"], ["lost", 5, "may or may not have run"], ["cancelled", 130, "was cancelled"]] as const)(
    "ends a %s invocation with %i", async (outcome, exitCode, text) => {
      const ended = await runLine(["invoke", "x"], { fleet: { call: callOf(() => ({ result: { outcome } })) } });
      expect(ended.exitCode).toBe(exitCode);
      expect(ended.stderr).toContain(text);
    },
  );

  it("gives programs one document, bytes that are no text in base64", async () => {
    const text = JSON.parse((await runLine(["invoke", "echo", "--json", "-d", "grün"], { fleet: echo })).stdout) as object;
    expect(text).toMatchObject({ functionName: "echo", siteId: "plant", agentId: "plant-1", start: "warm", result: { outcome: "succeeded" }, body: "grün" });
    const binary = JSON.parse((await runLine(["invoke", "echo", "--json"], { fleet: echo, input: Uint8Array.of(255, 0) })).stdout) as object;
    expect(binary).toMatchObject({ bodyBase64: "/wA=" });
    const failed = await runLine(["invoke", "bad", "--json"], { fleet: { call: callOf(() => ({ result: { outcome: "failed", exitCode: 9 } })) } });
    expect(failed).toMatchObject({ exitCode: 1, stderr: "" });
  });

  it("cancels on Ctrl-C and ends with 130", async () => {
    const interrupted = new AbortController();
    const call: Fleet["call"] = (_name, _body, { signal }) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener("abort", () => reject(new LongshoreError("caller_gone", "x")));
        interrupted.abort("SIGINT");
      });
    expect(await runLine(["invoke", "slow"], { fleet: { call }, signal: interrupted.signal })).toMatchObject({ exitCode: 130, stdout: "", stderr: "longshore: Cancelled\n" });
  });

  it("ends quietly when nobody reads its stdout any more, and stops the invocation", async () => {
    const out = new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" })) });
    out.on("error", () => undefined);
    let isCancelled = false;
    const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(everyByte), cancel: () => void (isCancelled = true) });
    const outcome = await runLine(["invoke", "endless"], { fleet: { call: callOf(() => ({ body })) }, out });
    expect(outcome).toMatchObject({ exitCode: 141, stderr: "" });
    expect(isCancelled).toBe(true);
  });
});

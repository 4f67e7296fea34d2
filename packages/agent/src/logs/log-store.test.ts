import type { LogLine } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { testRevision } from "../testing/revision.ts";
import type { LogLimits } from "./log-shelf.ts";
import { createLogStore, type LogQuery } from "./log-store.ts";

function scene(limits: Partial<LogLimits> = {}) {
  const clock = new ManualClock();
  const store = createLogStore({ siteId: "plant", agentId: "agent-1", clock, limits });
  return {
    clock,
    store,
    writer: (name = "resize", tenantId = "default", instanceId = "instance-1") => store.writer({ instanceId, revision: { ...testRevision({ name }), tenantId } }),
    async read(query: Partial<LogQuery> = {}): Promise<LogLine[]> {
      const lines: LogLine[] = [];
      for await (const line of store.read({ tenantId: "default", functionName: "resize", tail: 100, follow: false, ...query }, new AbortController().signal)) if ("line" in line) lines.push(line);
      return lines;
    },
    async texts(query: Partial<LogQuery> = {}): Promise<string[]> {
      return (await this.read(query)).map(({ line }) => line);
    },
  };
}

describe("a log store", () => {
  it("keeps the lines of an instance, with where and when they came from", async () => {
    const { clock, writer, read } = scene();
    clock.advance(1_500);
    writer().write("stderr", Buffer.from("words\n"));
    expect(await read()).toEqual([
      { at: "2026-11-25T00:00:01.500Z", siteId: "plant", agentId: "agent-1", instanceId: "instance-1", functionName: "resize", revisionId: "resize-r1", stream: "stderr", line: "words" },
    ]);
  });

  it("keeps stdout and stderr apart, though their lines come in pieces", async () => {
    const test = scene();
    const log = test.writer();
    log.write("stdout", Buffer.from("out "));
    log.write("stderr", Buffer.from("err "));
    log.write("stdout", Buffer.from("put\nunfinished"));
    log.write("stderr", Buffer.from("or\n"));
    log.system("stopped");
    expect(await test.texts()).toEqual(["out put", "err or", "stopped"]);
    log.end();
    expect(await test.texts()).toEqual(["out put", "err or", "stopped", "unfinished"]);
  });

  it("gives the last lines of a function, over all its instances", async () => {
    const test = scene();
    for (const [index, instanceId] of ["a", "b", "a", "b"].entries()) test.writer("resize", "default", instanceId).write("stdout", Buffer.from(`${instanceId}${index}\n`));
    expect(await test.texts({ tail: 3 })).toEqual(["b1", "a2", "b3"]);
    expect(await test.texts({ tail: 0 })).toEqual([]);
  });

  it("gives those of one invocation", async () => {
    const test = scene();
    const [one, other] = [test.writer(), test.writer()];
    one.belongsTo("invocation-1");
    one.write("stderr", Buffer.from("mine\n"));
    other.write("stderr", Buffer.from("other\n"));
    expect(await test.read({ invocationId: "invocation-1" })).toMatchObject([{ line: "mine", invocationId: "invocation-1" }]);
  });

  it("has an invocation's unfinished line as soon as that is over, and none of it belongs to the next", async () => {
    const test = scene();
    const log = test.writer();
    log.belongsTo("one");
    log.write("stderr", Buffer.from("panic"));
    log.flush();
    expect(await test.texts({ invocationId: "one" })).toEqual(["panic"]);
    log.write("stderr", Buffer.from("late"));
    log.belongsTo("two");
    log.write("stderr", Buffer.from("two\n"));
    expect(await test.texts({ invocationId: "one" })).toEqual(["panic", "late"]);
    expect(await test.texts({ invocationId: "two" })).toEqual(["two"]);
  });

  it("shows a tenant its own lines only, of all its functions by time", async () => {
    const test = scene();
    for (const [name, tenantId] of [["resize", "default"], ["shrink", "default"], ["resize", "default-2"], ["resize", "default"]] as const) {
      test.writer(name, tenantId).write("stdout", Buffer.from(`${tenantId} ${name}\n`));
      test.clock.advance(1);
    }
    expect(await test.texts({ functionName: undefined })).toEqual(["default resize", "default shrink", "default resize"]);
    expect(await test.texts({ tenantId: "default-2" })).toEqual(["default-2 resize"]);
    expect(await test.texts({ tenantId: "nobody" })).toEqual([]);
  });

  it("stays within its bound for each function", async () => {
    const test = scene({ maxBytesPerFunction: 100 * 300 });
    const log = test.writer();
    for (let index = 0; index < 2_000; index += 1) log.write("stdout", Buffer.from(`${"x".repeat(46)}${String(index).padStart(4, "0")}\n`));
    const texts = await test.texts({ tail: 10_000 });
    expect(texts).toHaveLength(101);
    expect(texts[0]).toBe("… 1900 earlier lines cut here");
    expect(texts.at(-1)).toMatch(/1999$/);
  });

  it("forgets nothing because somebody asks for what is not there", async () => {
    const test = scene({ maxFunctions: 1 });
    test.writer("one").write("stdout", Buffer.from("one\n"));
    expect(await test.texts({ functionName: "none" })).toEqual([]);
    expect(await test.texts({ functionName: "one" })).toEqual(["one"]);
  });

  it("follows a function before it has written anything", async () => {
    const test = scene();
    const end = new AbortController();
    const lines = test.store.read({ tenantId: "default", functionName: "later", tail: 10, follow: true }, end.signal)[Symbol.asyncIterator]();
    const first = lines.next();
    test.writer("later").write("stdout", Buffer.from("at last\n"));
    expect(await first).toMatchObject({ value: { line: "at last", functionName: "later" } });
    end.abort();
    expect(await lines.next()).toMatchObject({ done: true });
  });

  it("picks lines by age, by what came before, by instance and by stream", async () => {
    const test = scene();
    for (const [index, instanceId] of ["a", "b", "a"].entries()) {
      test.writer("resize", "default", instanceId).write(index === 2 ? "stderr" : "stdout", Buffer.from(`${index}\n`));
      test.clock.advance(1_000);
    }
    expect(await test.texts({ sinceMs: 2_000 })).toEqual(["1", "2"]);
    expect(await test.texts({ after: "2026-11-25T00:00:01.000Z" })).toEqual(["2"]);
    expect(await test.texts({ instanceId: "a" })).toEqual(["0", "2"]);
    expect(await test.texts({ instanceId: "a", stream: "stdout" })).toEqual(["0"]);
  });

  it("brings whatever bytes a program writes as lines that are one line of JSON each", async () => {
    const test = scene();
    const log = test.writer();
    log.write("stdout", Uint8Array.of(0x00, 0x1b, 0x5b, 0x32, 0x4a, 0xff, 0xfe, 0x0d, 0x0a));
    log.write("stdout", Buffer.from("\u2028 \u{1f6df} \ud83d\n".normalize()));
    log.write("stdout", Uint8Array.from({ length: 5_000 }, (_, index) => (index * 7_919) % 256));
    log.end();
    const lines = await test.read();
    const bytes = new TextEncoder().encode(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const back = new TextDecoder("utf-8", { fatal: true }).decode(bytes).split("\n").slice(0, -1).map((text) => JSON.parse(text) as unknown);
    expect(back).toEqual(lines);
    expect(lines[0]?.line).toBe("\u0000\u001b[2J\ufffd\ufffd");
  });

  it("keeps lines for a while after the last, and no timer once it is closed", async () => {
    const test = scene({ retentionMs: 10_000 });
    test.writer().write("stdout", Buffer.from("kept\n"));
    test.clock.advance(9_999);
    expect(await test.texts()).toEqual(["kept"]);
    test.clock.advance(1);
    expect(await test.texts()).toEqual([]);
    test.writer().write("stdout", Buffer.from("again\n"));
    test.store.close();
    expect(test.clock.pending).toBe(0);
  });
});

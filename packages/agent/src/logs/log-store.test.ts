import type { LogLine } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { testRevision } from "../testing/revision.ts";
import { createLogStore, type LogQuery, type LogStoreOptions } from "./log-store.ts";

function scene(options: Partial<LogStoreOptions> = {}) {
  const clock = new ManualClock();
  const store = createLogStore({ siteId: "plant", agentId: "agent-1", clock, ...options });
  return {
    clock,
    store,
    writer: (name = "resize", tenantId = "default", instanceId = "instance-1") => store.writer({ instanceId, revision: { ...testRevision({ name }), tenantId } }),
    async read(query: Partial<LogQuery> = {}): Promise<LogLine[]> {
      const lines: LogLine[] = [];
      for await (const line of store.read({ tenantId: "default", functionName: "resize", tail: 100, follow: false, ...query }, new AbortController().signal)) lines.push(line);
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
    expect(texts).toHaveLength(100);
    expect(texts.at(-1)).toMatch(/1999$/);
  });

  it("forgets the function that wrote longest ago beyond its number of functions, but none that is followed", async () => {
    const test = scene({ maxFunctions: 2 });
    const write = (name: string) => test.writer(name).write("stdout", Buffer.from(`${name}\n`));
    write("one");
    write("two");
    write("one");
    write("three");
    expect(await test.texts({ functionName: "two" })).toEqual([]);
    expect(await test.texts({ functionName: "one" })).toEqual(["one", "one"]);

    const end = new AbortController();
    const followed = test.store.read({ tenantId: "default", functionName: "one", tail: 1, follow: true }, end.signal)[Symbol.asyncIterator]();
    await followed.next();
    for (const name of ["four", "five"]) write(name);
    write("one");
    expect(await followed.next()).toMatchObject({ value: { line: "one" } });
    end.abort();
    await followed.return?.();
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
});

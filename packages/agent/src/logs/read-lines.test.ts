import type { LogLine } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import type { ReaderQuery } from "./log-reader.ts";
import { type LogLimits, LogShelf } from "./log-shelf.ts";
import { readLines } from "./read-lines.ts";
import { logLine } from "./testing/log-line.ts";

/** A reader of a shelf; `write` puts a line of a function there. */
function scene(limits: Partial<LogLimits> = {}) {
  const shelf = new LogShelf({ maxBytes: 2 ** 24, maxBytesPerFunction: 2 ** 24, maxFunctions: 100, retentionMs: 60_000, ...limits }, new ManualClock());
  let seconds = 0;
  const write = (line: string, functionName = "resize", changes: Partial<LogLine> = {}) => {
    seconds += 1;
    shelf.append("default", functionName, logLine(line, { functionName, at: new Date(seconds * 1_000).toISOString(), ...changes }));
  };
  const read = (query: Partial<ReaderQuery & { marks: boolean; functionName: string | undefined }> = {}) => {
    const end = new AbortController();
    const { functionName, ...rest } = { functionName: "resize", ...query };
    const lines = readLines(shelf, (_, name) => functionName === undefined || name === functionName, { isWanted: () => true, isFiltered: false, tail: 100, follow: true, marks: false, ...rest }, end.signal);
    const next = async () => {
      const { done, value } = await lines.next();
      return done === true ? "the end" : "line" in value ? value.line : "caught up";
    };
    const readAll = async () => {
      const all: string[] = [];
      for (let line = await next(); line !== "the end"; line = await next()) all.push(line);
      return all;
    };
    return { end, lines, next, rest: readAll };
  };
  return { shelf, write, read };
}

describe("readLines()", () => {
  it("gives the last lines that are there, then ends", async () => {
    const { write, read } = scene();
    for (const word of ["one", "two", "three"]) write(word);
    expect(await read({ follow: false, tail: 2 }).rest()).toEqual(["two", "three"]);
    expect(await read({ follow: false, tail: 0 }).rest()).toEqual([]);
    expect(await read({ follow: false, functionName: "none" }).rest()).toEqual([]);
  });

  it("says how many earlier lines were cut to whoever wants more than there are", async () => {
    const { write, read } = scene({ maxBytesPerFunction: 2 * 210 });
    for (const word of ["a", "b", "c", "d"]) write(word);
    expect(await read({ follow: false, tail: 3 }).rest()).toEqual(["… 2 earlier lines cut here", "c", "d"]);
    expect(await read({ follow: false, tail: 2 }).rest()).toEqual(["c", "d"]);
    expect(await read({ follow: false, tail: 0 }).rest()).toEqual([]);
    expect(await read({ follow: false, notBefore: new Date(3_000).toISOString(), isWanted: ({ at }) => at >= new Date(3_000).toISOString() }).rest()).toEqual(["c", "d"]);
  });

  it("says of an invocation only that lines of its own were cut", async () => {
    const { write, read } = scene({ maxBytesPerFunction: 2 * 210 });
    for (const invocationId of ["one", "one", "two", "two"]) write("x", "resize", { invocationId });
    const of = (invocationId: string) => read({ follow: false, invocationId, isFiltered: true, isWanted: (line) => line.invocationId === invocationId }).rest();
    expect(await of("one")).toEqual(["… 2 earlier lines cut here"]);
    expect(await of("two")).toEqual(["x", "x"]);
  });

  it("gives the last lines of several functions by time", async () => {
    const { write, read } = scene();
    for (const [word, name] of [["1", "a"], ["2", "b"], ["3", "a"], ["4", "c"], ["5", "a"]] as const) write(word, name);
    expect(await read({ follow: false, functionName: undefined }).rest()).toEqual(["1", "2", "3", "4", "5"]);
    expect(await read({ follow: false, functionName: undefined, tail: 3 }).rest()).toEqual(["3", "4", "5"]);
  });

  it("gives the lines that are there, says so, then gives those that come", async () => {
    const { write, read } = scene();
    write("before");
    const { end, next } = read({ marks: true });
    expect([await next(), await next()]).toEqual(["before", "caught up"]);
    const waiting = next();
    write("one");
    expect(await waiting).toBe("one");
    write("two");
    write("three");
    expect([await next(), await next()]).toEqual(["two", "three"]);
    end.abort();
    expect(await next()).toBe("the end");
  });

  it("says at once that it has caught up where nothing is wanted of what is there", async () => {
    const { write, read } = scene();
    expect(await read({ marks: true }).next()).toBe("caught up");
    write("other");
    expect(await read({ marks: true, isWanted: () => false }).next()).toBe("caught up");
    expect(await read({ marks: true, tail: 0 }).next()).toBe("caught up");
  });

  it("gives a line once that comes while the kept ones are read", async () => {
    const { write, read } = scene();
    write("one");
    write("two");
    const { next } = read();
    expect(await next()).toBe("one");
    write("three");
    expect([await next(), await next()]).toEqual(["two", "three"]);
  });

  it("follows functions that write their first line later", async () => {
    const { write, read } = scene();
    write("other", "other", { invocationId: "other" });
    const { next } = read({ functionName: undefined, isWanted: ({ invocationId }) => invocationId === "mine" });
    const waiting = next();
    write("not mine", "later", { invocationId: "other" });
    write("mine", "later", { invocationId: "mine" });
    expect(await waiting).toBe("mine");
  });

  it("tells a slow reader how many lines it missed, where they are missing, and goes on", async () => {
    const { write, read } = scene({ maxBytesPerFunction: 10 * 210 });
    const { next, end } = read();
    const waiting = next();
    write("first");
    expect(await waiting).toBe("first");
    for (let index = 0; index < 25; index += 1) write(String(index % 10));
    expect(await next()).toBe("… 15 lines cut here: not read fast enough");
    for (let index = 15; index < 25; index += 1) expect(await next()).toBe(String(index % 10));
    const more = next();
    write("more");
    expect(await more).toBe("more");
    end.abort();
  });

  it("tells a filtered reader no more than it knows", async () => {
    const { write, read } = scene({ maxBytesPerFunction: 210 });
    const { next } = read({ isFiltered: true });
    const first = next();
    write("a");
    expect(await first).toBe("a");
    write("b");
    write("c");
    expect([await next(), await next()]).toEqual(["… up to 1 line cut here: not read fast enough", "c"]);
    expect(await read({ isFiltered: true }).next()).toBe("… up to 2 earlier lines cut here");
  });

  it("tells of lines that were forgotten with their function, and hears of its next", async () => {
    const { write, read } = scene({ maxFunctions: 1 });
    write("one");
    const { next } = read();
    expect(await next()).toBe("one");
    write("two");
    write("other", "other");
    expect(await next()).toBe("… 1 line cut here: not read fast enough");
    const waiting = next();
    write("three");
    expect(await waiting).toBe("three");
  });

  it("ends while it waits, and leaves no follower behind, whoever ends it", async () => {
    const { shelf, write, read } = scene();
    const { end, next } = read();
    const waiting = next();
    expect(shelf.followerCount).toBe(1);
    end.abort();
    expect(await waiting).toBe("the end");
    expect(shelf.followerCount).toBe(0);
    write("one");
    const other = read();
    await other.next();
    await other.lines.return(undefined);
    expect(shelf.followerCount).toBe(0);
    const late = read();
    late.end.abort();
    expect(await late.next()).toBe("the end");
  });
});

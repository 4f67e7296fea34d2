import { describe, expect, it } from "vitest";
import { followLines } from "./follow.ts";
import { LogRing } from "./log-ring.ts";
import { logLine } from "./testing/log-line.ts";

const all = () => true;

/** A follower of one ring. */
function follow(wanted: Parameters<typeof followLines>[2] = all) {
  const ring = new LogRing(2 ** 24);
  const end = new AbortController();
  const lines = followLines(() => ring.tail(100, wanted), [ring], wanted, end.signal);
  const next = async () => {
    const taken = await lines.next();
    return taken.done === true ? undefined : taken.value.line;
  };
  return { ring, end, lines, next };
}

describe("followLines()", () => {
  it("gives the lines that are there, then those that come", async () => {
    const { ring, end, next } = follow();
    ring.append(logLine("before"));
    expect(await next()).toBe("before");
    const waiting = next();
    ring.append(logLine("one"));
    expect(await waiting).toBe("one");
    ring.append(logLine("two"));
    ring.append(logLine("three"));
    expect([await next(), await next()]).toEqual(["two", "three"]);
    end.abort();
    expect(await next()).toBeUndefined();
  });

  it("gives a line once that comes while the kept ones are read", async () => {
    const { ring, end, next } = follow();
    for (const word of ["one", "two"]) ring.append(logLine(word));
    expect(await next()).toBe("one");
    ring.append(logLine("three"));
    expect([await next(), await next()]).toEqual(["two", "three"]);
    end.abort();
    expect(await next()).toBeUndefined();
  });

  it("gives only what is wanted", async () => {
    const { ring, end, next } = follow(({ invocationId }) => invocationId === "mine");
    ring.append(logLine("other", { invocationId: "other" }));
    const waiting = next();
    ring.append(logLine("other", { invocationId: "other" }));
    ring.append(logLine("mine", { invocationId: "mine" }));
    expect(await waiting).toBe("mine");
    end.abort();
  });

  it("ends while it waits, and leaves no follower behind", async () => {
    const { ring, end, next } = follow();
    const waiting = next();
    expect(ring.isFollowed).toBe(true);
    end.abort();
    expect(await waiting).toBeUndefined();
    expect(ring.isFollowed).toBe(false);
  });

  it("leaves no follower behind when its reader leaves", async () => {
    const { ring, lines, next } = follow();
    ring.append(logLine("one"));
    await next();
    await lines.return(undefined);
    expect(ring.isFollowed).toBe(false);
  });

  it("is over at once when it was ended before, and where there is nothing to follow", async () => {
    const { end, next } = follow();
    end.abort();
    expect(await next()).toBeUndefined();
    const kept: string[] = [];
    for await (const { line } of followLines(() => [logLine("kept")], [], all, new AbortController().signal)) kept.push(line);
    expect(kept).toEqual(["kept"]);
  });

  it("tells a slow reader how many lines it missed, where they are missing, and goes on", async () => {
    const { ring, end, next } = follow();
    const waiting = next();
    ring.append(logLine("first"));
    await waiting;
    for (let index = 0; index < 10_025; index += 1) ring.append(logLine(String(index)));
    let last: string | undefined;
    for (let index = 0; index < 10_000; index += 1) last = await next();
    expect(last).toBe("9999");
    expect(await next()).toBe("25 lines were not read fast enough and are missing here");
    const more = next();
    ring.append(logLine("more"));
    expect(await more).toBe("more");
    end.abort();
  });
});

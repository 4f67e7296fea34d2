import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { callLimits, containerPath, createDockerApi, type Modem } from "./docker-api.ts";

type Dial = Parameters<Modem["dial"]>;

function createModem(answer: (callback: Dial[1]) => void) {
  const dialled: Dial[0][] = [];
  const modem: Modem = {
    dial(options, callback) {
      dialled.push(options);
      answer(callback);
    },
  };
  return { api: createDockerApi(modem), dialled };
}

describe("createDockerApi()", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("keeps a request's body out of its URL", async () => {
    const { api, dialled } = createModem((callback) => callback(null, { Id: "c1" }));
    expect(await api.call("Cannot create", { method: "POST", path: "/containers/create", query: { name: "i1" }, body: { Env: ["SECRET=1"] } })).toEqual({ Id: "c1" });
    expect(dialled[0]).toMatchObject({ path: "/containers/create?", options: { _query: { name: "i1" }, _body: { Env: ["SECRET=1"] } } });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("settles within its limit even when the client never does", async () => {
    const { api, dialled } = createModem(() => {});
    const called = api.call("Cannot list containers", { method: "GET", path: "/containers/json" });
    const failed = expect(called).rejects.toMatchObject({ failure: "unreachable", status: 0, message: "Cannot list containers: no answer from the engine within 10000 ms" });
    await vi.advanceTimersByTimeAsync(callLimits.readMs);
    await failed;
    expect(dialled[0]?.abortSignal.aborted).toBe(true);
  });

  it("ends a stream by its signal, and not by a limit", async () => {
    const body = new PassThrough();
    const { api } = createModem((callback) => callback(null, body));
    const abort = new AbortController();
    const stream = await api.stream("Cannot watch events", { method: "GET", path: "/events" }, abort.signal);
    await vi.advanceTimersByTimeAsync(24 * 3_600_000);
    expect(stream.destroyed).toBe(false);
    abort.abort();
    expect(stream.destroyed).toBe(true);
  });

  it("sends nothing with an attachment that could become input", async () => {
    const { api, dialled } = createModem((callback) => callback(null, new PassThrough()));
    await api.hijack("Cannot attach", { method: "POST", path: containerPath("c1", "attach"), query: { stdin: true } });
    expect(dialled[0]).toMatchObject({ hijack: true, file: Buffer.alloc(0) });
  });
});

describe("containerPath()", () => {
  it("cannot be led out of its place", () => {
    expect(containerPath("../images", "json")).toBe("/containers/..%2Fimages/json");
  });
});

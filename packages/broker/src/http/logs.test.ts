import { LongshoreError, type LogLine } from "@longshore/protocol";
import { afterEach, describe, expect, it } from "vitest";
import type { LogQuery } from "../logs/log-query.ts";
import { type HttpRig, startHttpRig } from "./testing/http-rig.ts";

let rig: HttpRig;
afterEach(() => rig.close());

const asked: LogQuery[] = [];
const startWith = async (lines: string[]) => {
  asked.length = 0;
  rig = await startHttpRig({}, { parts: { logs: { open: async (_, query) => (asked.push(query), lines.map((line) => ({ line }) as LogLine)) } } });
};

describe("logs over HTTP", () => {
  it("are JSON lines, whatever was written", async () => {
    const lines = ["one", "\u0000\u001b[2J \ufffd \u2028 \ud83d", ""];
    await startWith(lines);
    const { status, headers, body } = await rig.send({ path: "/v1/functions/resize/logs?tail=5&follow&sinceMs=60000&siteId=plant&agentId=a1&instanceId=i-1&stream=stderr" });
    expect({ status, type: headers["content-type"] }).toEqual({ status: 200, type: "application/x-ndjson" });
    expect(body.toString().split("\n").slice(0, -1).map((text) => (JSON.parse(text) as LogLine).line)).toEqual(lines);
    expect(asked).toEqual([{ functionName: "resize", tail: 5, follow: true, sinceMs: 60_000, siteId: "plant", agentId: "a1", instanceId: "i-1", stream: "stderr" }]);
  });

  it("are the last hundred of an invocation unless somebody says otherwise", async () => {
    await startWith([]);
    await rig.send({ path: "/v1/invocations/0197a7c6-5f3e-7b12-9c58-0d8a4be3f001/logs" });
    expect(asked).toEqual([{ invocationId: "0197a7c6-5f3e-7b12-9c58-0d8a4be3f001", tail: 100, follow: false }]);
  });

  it.each([
    ["tail=-1", "tail"],
    ["tail=10001", "tail"],
    ["sinceMs=10m", "sinceMs"],
    ["follow=perhaps", "follow"],
    ["stream=stdin", "stream"],
    [`instanceId=${"i".repeat(65)}`, "instanceId"],
    ["tale=5", "tale"],
  ])("name the parameter that cannot be read: %s", async (query, field) => {
    await startWith([]);
    const { status, json } = await rig.send({ path: `/v1/functions/resize/logs?${query}` });
    expect({ status, field: json()["field"] }).toEqual({ status: 400, field });
  });

  it("that nobody has are a 404", async () => {
    rig = await startHttpRig({}, { parts: { logs: { open: () => Promise.reject(new LongshoreError("function_not_found", "no")) } } });
    expect((await rig.send({ path: "/v1/functions/resize/logs?follow=true" })).status).toBe(404);
  });
});

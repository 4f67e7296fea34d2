import { LongshoreError } from "@longshore/sdk";
import { describe, expect, it } from "vitest";
import { emptyDraft } from "./request-draft.ts";
import { answerBytesKept, type Callable, tryFunction, type TryRun } from "./try-run.ts";

const answerOf = (parts: readonly Uint8Array[], result: () => Promise<object> = async () => ({ outcome: "succeeded" })) => ({ status: 200, headers: [["x", "1"]], siteId: "plant", agentId: "p1", start: "warm", get result() { return result(); }, body: new Blob(parts as Uint8Array<ArrayBuffer>[]).stream() });
const fleetOf = (call: (...given: Parameters<Callable["call"]>) => unknown): Callable => ({ call: async (...given) => call(...given) as never, enqueue: async () => ({}) as never });
const text = (value: string) => new TextEncoder().encode(value);

async function run(fleet: Callable, draft = emptyDraft): Promise<TryRun[]> {
  const all: TryRun[] = [];
  let nowMs = 0;
  for await (const each of tryFunction(fleet, "f", draft, { invocationId: "i1", signal: new AbortController().signal, nowMs: () => (nowMs += 5) })) all.push(each);
  return all;
}

describe("a try", () => {
  it("sends what was written, and shows the answer from its head to its outcome", async () => {
    const calls: unknown[] = [];
    const seen = await run(fleetOf((...given) => (calls.push(given), answerOf([text("hi")]))), { ...emptyDraft, path: "/p?q", where: " site=plant ", timeoutMs: "500" });
    expect(seen.map(({ phase }) => phase)).toEqual(["sending", "answering", "ended"]);
    expect(seen.at(-1)).toMatchObject({ head: { status: 200, siteId: "plant", start: "warm" }, body: { text: "hi", bytes: 2, isCut: false }, result: { outcome: "succeeded" }, tookMs: 10 });
    expect(calls).toMatchObject([["f", "{}", { invocationId: "i1", method: "POST", path: "/p?q", where: "site=plant", timeoutMs: 500, headers: [["content-type", "application/json"]] }]]);
  });

  it("shows each part as it comes, characters that were parted whole", async () => {
    const euro = text("€");
    const stream = new ReadableStream<Uint8Array>({ start: (controller) => { for (const part of [euro.subarray(0, 1), euro.subarray(1), text("!")]) controller.enqueue(part); controller.close(); } });
    const seen = await run(fleetOf(() => ({ ...answerOf([]), body: stream })));
    expect(seen.flatMap((each) => (each.phase === "answering" ? [each.body.text] : []))).toEqual(["", "€", "€!"]);
  });

  it("keeps no more of a long answer than it says, and counts the rest", async () => {
    const seen = await run(fleetOf(() => answerOf([new Uint8Array(answerBytesKept + 7).fill(97)])));
    const last = seen.at(-1);
    expect(last?.phase === "ended" && [last.body.text.length, last.body.bytes, last.body.isCut]).toEqual([answerBytesKept, answerBytesKept + 7, true]);
  });

  it("tells what was refused, and an outcome that nobody knows", async () => {
    const refused = await run(fleetOf(() => { throw new LongshoreError("bad_schema", "Cannot read where", { field: "where" }); }));
    expect(refused.at(-1)).toEqual({ phase: "failed", invocationId: "i1", reason: "bad_schema", message: "Cannot read where", field: "where" });
    const lost = await run(fleetOf(() => answerOf([text("x")], () => Promise.reject(new LongshoreError("connection_lost", "gone")))));
    expect(lost.at(-1)).toMatchObject({ phase: "failed", reason: "connection_lost" });
  });

  it("is accepted where it is not waited for", async () => {
    expect(await run(fleetOf(() => undefined), { ...emptyDraft, isAsync: true })).toEqual([{ phase: "sending", invocationId: "i1" }, { phase: "accepted", invocationId: "i1" }]);
  });
});

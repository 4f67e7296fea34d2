import { type Frame, windowBytes } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { openAsk } from "./ask-exchange.ts";

const ask = { kind: "open", head: { ask: "logs", tenantId: "default", tail: 1, follow: true }, body: new Uint8Array(0) } as const;
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** An ask whose answer is a stream of lines that the test makes. */
function scene(line: () => unknown) {
  const frames: Frame[] = [];
  let made = 0;
  const source = (async function* () {
    for (;;) {
      made += 1;
      const value = await line();
      if (value === undefined) return;
      yield value;
    }
  })();
  const exchange = { send: (frame: Frame) => void frames.push(frame) };
  const handlers = openAsk(ask, exchange as unknown as Parameters<typeof openAsk>[1], () => source);
  const bodies = () => frames.flatMap((frame) => (frame.kind === "data" ? [frame.body] : []));
  return { frames, handlers, bodies, made: () => made };
}

describe("an answer of lines", () => {
  it("joins lines that come at once, and sends the rest soon", async () => {
    const words = ["one", "two", "three", undefined];
    const { frames, bodies } = scene(() => words.shift());
    while (frames.at(-1)?.kind !== "end") await settled();
    expect(bodies().map((body) => new TextDecoder().decode(body))).toEqual(['"one"\n"two"\n"three"\n']);
    expect(frames.map(({ kind }) => kind)).toEqual(["answer", "data", "end"]);
  });

  it("makes no more lines than its reader's credit is for, at whatever pace they come", async () => {
    const text = "x".repeat(1_000);
    const lineBytes = text.length + 3;
    const { handlers, bodies, made } = scene(async () => {
      await settled();
      return text;
    });
    const sent = () => bodies().reduce((sum, body) => sum + body.length, 0);
    while (sent() + lineBytes <= windowBytes) await settled();
    for (let turn = 0; turn < 20; turn += 1) await settled();
    expect(made()).toBeLessThan(windowBytes / lineBytes + 5);
    handlers.frame({ kind: "credit", bytes: 5_000 });
    while (sent() + lineBytes <= windowBytes + 5_000) await settled();
    expect(sent()).toBeLessThanOrEqual(windowBytes + 5_000);
    handlers.frame({ kind: "cancel", head: { reason: "requested" } });
  });
});

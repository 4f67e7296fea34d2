import { encodeNumberedFrame, type Frame } from "@longshore/protocol";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import type { ExchangeHandlers } from "./bus.ts";
import { createTokenSource, Exchanges } from "./exchanges.ts";

const subject = "longshore.v1.site.plant.a1.reply.b1.t1";
const credit = (number: number) => encodeNumberedFrame({ kind: "credit", bytes: number }, number);

function open(handlers: Partial<ExchangeHandlers> = {}) {
  const counted: string[] = [];
  const heard: (Frame | string)[] = [];
  const exchanges = new Exchanges((event) => counted.push(event), pino({ level: "silent" }));
  exchanges.begin(subject, { frame: (frame) => heard.push(frame), failed: (why) => heard.push(why), ...handlers });
  return { exchanges, heard, counted };
}

describe("exchanges", () => {
  it("deliver what comes on the whole subject they wait on, and count what comes on any other", () => {
    const { exchanges, heard, counted } = open();
    exchanges.receive("longshore.v1.site.plant.thief.reply.b1.t1", credit(1));
    expect(heard).toEqual([]);
    expect(counted).toEqual(["unsolicited_replies"]);
    exchanges.receive(subject, credit(1));
    expect(heard).toEqual([{ kind: "credit", bytes: 1 }]);
  });

  it("call nothing after they failed or were forgotten, even within one delivery", () => {
    const { exchanges, heard } = open({ frame: () => { exchanges.forget(subject); heard.push("first"); } });
    exchanges.receive(subject, credit(2));
    exchanges.receive(subject, credit(1));
    exchanges.noResponders(subject);
    exchanges.failAll();
    expect(heard).toEqual(["first"]);
  });

  it("end by a message that cannot be read, each by its own", () => {
    const { exchanges, heard } = open();
    const other: string[] = [];
    exchanges.begin("other", { frame: () => undefined, failed: (why) => other.push(why) });
    exchanges.receive(subject, new Uint8Array([1]));
    exchanges.receive(subject, credit(1));
    expect(heard).toEqual(["bad_frame"]);
    expect(other).toEqual([]);
    exchanges.failAll();
    expect(other).toEqual(["bus_down"]);
    expect(exchanges.size).toBe(0);
  });

  it("take no harm from a handler that throws", () => {
    const { exchanges } = open({ failed: () => { throw new Error("planted"); } });
    expect(() => exchanges.noResponders(subject)).not.toThrow();
    expect(exchanges.size).toBe(0);
  });
});

describe("tokens", () => {
  it("are ids, short, and never twice, in one process or in two", () => {
    const [one, two] = [createTokenSource(), createTokenSource()];
    const tokens = Array.from({ length: 1000 }, () => [one(), two()]).flat();
    expect(new Set(tokens).size).toBe(2000);
    for (const token of tokens) expect(token).toMatch(/^[a-z0-9]{1,24}$/);
  });
});

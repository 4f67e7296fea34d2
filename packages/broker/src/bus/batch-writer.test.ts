import type { Msg, MsgHdrs } from "@nats-io/nats-core";
import { describe, expect, it } from "vitest";
import { BatchWriter, type Write } from "./batch-writer.ts";

/** A server that answers when it is told to. */
class SlowServer {
  nowMs = 0;
  readonly written: string[] = [];
  readonly #answers: (() => void)[] = [];

  publish = (subject: string) => void this.written.push(subject);

  request = (subject: string): Promise<Msg> => {
    this.written.push(subject);
    const sequence = this.written.length;
    return new Promise((resolve) => this.#answers.push(() => resolve({ json: () => ({ seq: sequence }) } as Msg)));
  };

  answer(): void {
    for (const answer of this.#answers.splice(0)) answer();
  }
}

const writeOf = (subject: string, waitsAtMostMs?: number): Write => ({ subject, unit: subject, headers: [], payload: new Uint8Array(0), ...(waitsAtMostMs !== undefined && { waitsAtMostMs }) });
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("a batch writer", () => {
  it("never sends what has waited longer for its turn than it was to, and says so; what waits as long as it takes is sent", async () => {
    const server = new SlowServer();
    const writer = new BatchWriter(server, { now: () => server.nowMs });
    const first = writer.write(writeOf("first", 5));
    await turn();
    const late = writer.write(writeOf("late", 5));
    const patient = writer.write(writeOf("patient"));
    server.nowMs = 3;
    const inTime = writer.write(writeOf("in time", 5));
    const outcome = expect(late).rejects.toThrow(expect.objectContaining({ reason: "bus_down", retryAfterMs: 1_000 }));
    server.nowMs = 6;
    server.answer();
    await outcome;
    expect(await first).toBe(1);
    await turn();
    server.answer();
    expect(await Promise.all([patient, inTime])).toEqual([2, 3]);
    expect(server.written).toEqual(["first", "patient", "in time"]);
  });

  it("goes on after all that waited was late", async () => {
    const server = new SlowServer();
    const writer = new BatchWriter(server, { now: () => server.nowMs });
    const first = writer.write(writeOf("first"));
    await turn();
    const late = expect(writer.write(writeOf("late", 5))).rejects.toThrow("Nothing was written");
    server.nowMs = 6;
    server.answer();
    await Promise.all([first, late]);
    await turn();
    const next = writer.write(writeOf("next", 5));
    await turn();
    server.answer();
    expect(await next).toBe(2);
  });
});

/** A server that holds conditions: a batch in which one does not hold is refused whole. */
class StrictServer {
  /** Sequences of what stands, by subject. */
  readonly standing = new Map<string, number>();
  /** Each request, by the subjects that it is to store. */
  readonly asked: string[][] = [];
  readonly looks: (readonly string[])[] = [];
  canTell = true;
  #sequence = 100;
  #batch: { readonly subject: string; readonly expected: string | undefined }[] = [];

  publish = (subject: string, _payload: unknown, { headers }: { readonly headers: MsgHdrs }) => void this.#batch.push({ subject, expected: headers.get("Nats-Expected-Last-Subject-Sequence") || undefined });

  request = (subject: string, payload: unknown, options: { readonly headers: MsgHdrs }): Promise<Msg> => {
    this.publish(subject, payload, options);
    const messages = this.#batch;
    this.#batch = [];
    this.asked.push(messages.map((message) => message.subject));
    const isHeld = messages.every(({ subject: each, expected }) => expected === undefined || Number(expected) === (this.standing.get(each) ?? 0));
    if (!isHeld) return Promise.resolve({ json: () => ({ error: { err_code: 10071, description: "wrong last sequence" } }) } as Msg);
    for (const { subject: each } of messages) this.standing.set(each, (this.#sequence += 1));
    return Promise.resolve({ json: () => ({ seq: this.#sequence }) } as Msg);
  };

  lastMessages = (filters: readonly string[]) => {
    this.looks.push(filters);
    if (!this.canTell) return Promise.reject(new Error("nobody answers"));
    return Promise.resolve({ sequences: new Map([...this.standing].filter(([subject]) => filters.includes(subject))), isWhole: true });
  };
}

const newOne = (subject: string, sequence = 0): Write => ({ ...writeOf(subject), condition: { sequence } });
const conflict = { name: "WriteRefused", code: 10071 };

describe("a batch in which some may not be written", () => {
  const all = ["a", "b", "c", "d", "e", "f", "g", "h"];

  it("is written once more without them, together, and they are refused", async () => {
    const server = new StrictServer();
    server.standing.set("c", 7).set("f", 9);
    const writer = new BatchWriter(server as never, server);
    const outcomes = await Promise.allSettled(all.map((subject) => writer.write(newOne(subject))));
    expect(outcomes.map((outcome) => (outcome.status === "fulfilled" ? outcome.value : (outcome.reason as object)))).toEqual([101, 102, expect.objectContaining(conflict), 103, 104, expect.objectContaining(conflict), 105, 106]);
    expect(server.asked).toEqual([all, all.filter((subject) => subject !== "c" && subject !== "f")]);
    expect(server.looks).toEqual([all]);
  });

  it("is one with those that may be: what stands as it was to, or what a replica that lags behind does not know of yet, is no conflict", async () => {
    const server = new StrictServer();
    server.standing.set("a", 5).set("b", 6).set("c", 7);
    const writer = new BatchWriter(server as never, { lastMessages: () => Promise.resolve({ sequences: new Map([["a", 5], ["b", 4], ["c", 7]]), isWhole: true }) });
    const outcomes = await Promise.allSettled([newOne("a", 5), newOne("b", 6), newOne("c", 6), ...all.slice(3).map((subject) => newOne(subject))].map((write) => writer.write(write)));
    expect(outcomes.map(({ status }) => status === "fulfilled")).toEqual([true, true, false, true, true, true, true, true]);
    expect(server.asked).toHaveLength(2);
  });

  it("is refused with what goes along", async () => {
    const server = new StrictServer();
    server.standing.set("c", 7);
    const writer = new BatchWriter(server as never, server);
    const outcomes = await Promise.allSettled([{ ...newOne("x"), along: [newOne("c")] }, ...["d", "e", "f", "g", "h", "i"].map((subject) => newOne(subject))].map((write) => writer.write(write)));
    expect(outcomes.map(({ status }) => status === "fulfilled")).toEqual([false, true, true, true, true, true, true]);
    expect(server.standing.has("x")).toBe(false);
    expect(server.asked).toHaveLength(2);
  });

  it("goes singly where nobody can tell which they are", async () => {
    const server = new StrictServer();
    server.standing.set("c", 7);
    server.canTell = false;
    const writer = new BatchWriter(server as never, server);
    const outcomes = await Promise.allSettled(all.map((subject) => writer.write(newOne(subject))));
    expect(outcomes.map(({ status }) => status === "fulfilled")).toEqual(all.map((subject) => subject !== "c"));
    expect(server.asked).toEqual([all, ...all.map((subject) => [subject])]);
  });
});

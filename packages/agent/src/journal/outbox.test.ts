import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInvocationId } from "@longshore/protocol";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Outbox } from "./outbox.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "longshore-outbox-"));
});
afterEach(async () => {
  for (const outbox of opened.splice(0)) await outbox.close();
  rmSync(folder, { recursive: true });
});

const logged: string[] = [];
const log = pino({ level: "info" }, { write: (line: string) => void logged.push((JSON.parse(line) as { msg: string }).msg) });
const opened: Outbox[] = [];
const open = async (quotaBytes = 2 ** 20) => {
  const outbox = await Outbox.open({ folder, quotaBytes, log });
  opened.push(outbox);
  return outbox;
};
const result = (bytes = 10) => ({ invocationId: createInvocationId() as string, attempt: 1, head: { result: { outcome: "succeeded" } }, body: new Uint8Array(bytes).fill(7) });
const keyOf = ({ invocationId, attempt }: { invocationId: string; attempt: number }) => ({ invocationId, attempt });

describe("the outbox", () => {
  it("gives back what it kept, in the next process too, until it is settled", async () => {
    const outbox = await open();
    const [first, second] = [result(), { ...result(), attempt: 3 }];
    await outbox.keep(first);
    await outbox.keep(second);
    const next = await open();
    expect(next.waiting).toHaveLength(2);
    expect(next.waiting).toEqual(expect.arrayContaining([keyOf(first), keyOf(second)]));
    const read = await next.read(first);
    expect({ ...read, body: Uint8Array.from(read?.body ?? []) }).toEqual(first);
    await next.settle(first);
    expect(await next.read(first)).toBeUndefined();
    expect(next.waiting).toEqual([keyOf(second)]);
    await next.settle(second);
    expect(readdirSync(folder)).toEqual([]);
    expect((await open()).totalBytes).toBe(0);
  });

  it("has nothing on the disk where nothing waits, and loses none that come while others are settled", async () => {
    const outbox = await open();
    const [kept, ...others] = Array.from({ length: 40 }, () => result());
    if (kept === undefined) throw new Error("there are forty");
    await outbox.keep(kept);
    const keeping = Promise.all(others.map((each) => outbox.keep(each)));
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve(); // They are being written.
    await outbox.settle(kept);
    await keeping;
    expect((await Promise.all(others.map((each) => outbox.read(each)))).filter((each) => each === undefined)).toEqual([]);
    expect(outbox.waiting).toHaveLength(others.length);
    await Promise.all(others.map((each, index) => (index % 2 === 0 ? outbox.settle(each) : outbox.keep(each).then(() => outbox.settle(each)))));
    expect(readdirSync(folder)).toEqual([]);
    await outbox.keep(kept);
    expect((await outbox.read(kept))?.invocationId).toBe(kept.invocationId);
  });

  it("begins another file when one is long, and takes each away once all of it is settled", async () => {
    const outbox = await open(2 ** 30);
    const results = Array.from({ length: 24 }, () => result(250_000));
    for (const each of results) await outbox.keep(each);
    expect(readdirSync(folder)).toHaveLength(3);
    for (const each of results.slice(0, 9)) await outbox.settle(each);
    expect(readdirSync(folder)).toHaveLength(2);
    const next = await open(2 ** 30);
    expect(next.waiting).toHaveLength(15);
    for (const each of results.slice(9)) expect((await next.read(each))?.body.length).toBe(250_000);
  });

  it("keeps many at once, each whole", async () => {
    const outbox = await open();
    const results = Array.from({ length: 100 }, (_, index) => result(index));
    await Promise.all(results.map((each) => outbox.keep(each)));
    const next = await open();
    const read = await Promise.all(results.map((each) => next.read(each)));
    expect(read.map((each) => each?.body.length)).toEqual(results.map(({ body }) => body.length));
  });

  it("has no room beyond its quota until something is settled, and keeps what comes all the same", async () => {
    const outbox = await open(20_000);
    const results = [result(), result(10_000), result(10_000)];
    const rooms: boolean[] = [];
    for (const each of results) {
      rooms.push(outbox.hasRoom);
      await outbox.keep(each);
    }
    expect([...rooms, outbox.hasRoom]).toEqual([true, true, true, false]);
    expect(outbox.waiting).toHaveLength(3);
    expect((await open(20_000)).hasRoom).toBe(false);
    await outbox.settle(result());
    expect(outbox.hasRoom).toBe(false);
    for (const each of results.slice(1)) await outbox.settle(each);
    expect(outbox.hasRoom).toBe(true);
  });

  it("does not look at what a process left half written, nor at what is not its own", async () => {
    const before = await open();
    const [whole, half] = [result(), result()];
    await before.keep(whole);
    await before.keep(half);
    const [name = ""] = readdirSync(folder);
    truncateSync(join(folder, name), statSync(join(folder, name)).size - 3);
    writeFileSync(join(folder, "results.99"), "no result of anybody's");
    writeFileSync(join(folder, "lost+found"), "");
    const outbox = await open();
    expect(outbox.waiting).toEqual([keyOf(whole)]);
    expect(readdirSync(folder).toSorted()).toEqual(["lost+found", name]);
    await outbox.keep(half);
    expect((await open()).waiting).toEqual([keyOf(whole), keyOf(half)]);
  });

  it("says which result cannot be read, and goes on with the others", async () => {
    const outbox = await open();
    const [whole, torn] = [result(), result()];
    await outbox.keep(whole);
    await outbox.keep(torn);
    const [name = ""] = readdirSync(folder);
    truncateSync(join(folder, name), statSync(join(folder, name)).size - 3);
    expect(await outbox.read(torn)).toBeUndefined();
    expect(logged).toContain("kept result cannot be read");
    expect(await outbox.read(whole)).toBeDefined();
  });

  it("tells when the disk does not take a result, and leaves nothing of it", async () => {
    const outbox = await open();
    rmSync(folder, { recursive: true });
    await expect(outbox.keep(result())).rejects.toMatchObject({ reason: "unexpected", phase: "execution" });
    expect(outbox.waiting).toEqual([]);
    folder = mkdtempSync(join(tmpdir(), "longshore-outbox-"));
  });
});

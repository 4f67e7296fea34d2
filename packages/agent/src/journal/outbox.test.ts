import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
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
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const logged: string[] = [];
const log = pino({ level: "info" }, { write: (line: string) => void logged.push((JSON.parse(line) as { msg: string }).msg) });
const open = (quotaBytes = 2 ** 20) => Outbox.open({ folder, quotaBytes, log });
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
    expect((await open()).waiting).toEqual([keyOf(second)]);
    await next.settle(second);
    expect(readdirSync(folder)).toEqual([]);
    expect((await open()).totalBytes).toBe(0);
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
    writeFileSync(join(folder, `${createInvocationId()}.1.new`), "half a res");
    writeFileSync(join(folder, "lost+found"), "");
    const outbox = await open();
    expect(outbox.waiting).toEqual([]);
    expect(readdirSync(folder)).toEqual(["lost+found"]);
  });

  it("says which result cannot be read, and goes on with the others", async () => {
    const outbox = await open();
    const [torn, whole] = [result(), result()];
    await outbox.keep(torn);
    await outbox.keep(whole);
    truncateSync(join(folder, `${torn.invocationId}.1`), 3);
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

import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import type * as NodeFs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { StartLog } from "./start-log.ts";

const disk = vi.hoisted(() => ({ isFull: false }));
vi.mock("node:fs/promises", async (importOriginal) => {
  const fs = await importOriginal<typeof NodeFs>();
  const open = async (...args: Parameters<typeof fs.open>) => {
    const file = await fs.open(...args);
    const write = file.write.bind(file) as (text: string) => Promise<unknown>;
    return Object.assign(file, { write: (text: string) => (disk.isFull ? Promise.reject(new Error("ENOSPC: no space left on device, write")) : write(text)) });
  };
  return { ...fs, open };
});

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "longshore-starts-"));
  path = join(folder, "begun");
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const begun = (invocationId: string, attempt = 1) => ({ invocationId, attempt, head: { functionName: "resize", tenantId: "acme" } });
const ids = async () => {
  const log = await StartLog.open(folder);
  await log.close();
  return log.interrupted.map(({ invocationId, attempt }) => `${invocationId} ${attempt}`);
};

describe("the log of starts", () => {
  it("names what was begun and not ended, in each later process, with what is known of it", async () => {
    const log = await StartLog.open(folder);
    await Promise.all([log.begin(begun("i1")), log.begin(begun("i2")), log.begin(begun("i3", 2))]);
    log.end(begun("i2"));
    await log.close();
    const next = await StartLog.open(folder);
    expect(next.interrupted).toEqual([begun("i1"), begun("i3", 2)]);
    await next.close();
    expect(await ids()).toEqual(["i1 1", "i3 2"]);
    const last = await StartLog.open(folder);
    for (const each of last.interrupted) last.end(each);
    await last.close();
    expect(await ids()).toEqual([]);
  });

  it("has a beginning in its file when that is told, though the process dies at once", async () => {
    const log = await StartLog.open(folder);
    await log.begin(begun("i1"));
    expect(readFileSync(path, "utf8")).toContain("B i1 1 ");
    await log.close();
  });

  it("reads what comes before and after a line that was cut short, wherever that was", async () => {
    const log = await StartLog.open(folder);
    await log.begin(begun("i1"));
    await log.close();
    const before = statSync(path).size;
    const second = await StartLog.open(folder);
    await second.begin(begun("i2"));
    await second.close();
    // With all of its last line but the end of line that line is whole.
    for (let size = statSync(path).size - 2; size > before; size -= 1) {
      truncateSync(path, size);
      const next = await StartLog.open(folder);
      await next.begin(begun("i3"));
      await next.close();
      expect(await ids()).toEqual(["i1 1", "i3 1"]);
      truncateSync(path, size);
    }
    appendFileSync(path, "\nB i4 1 {not json}\nE\n");
    expect(await ids()).toEqual(["i1 1"]);
  });

  it("stays small over many runs, and keeps what is open", async () => {
    const log = await StartLog.open(folder);
    await log.begin(begun("open"));
    for (let round = 0; round < 40; round += 1) {
      const many = Array.from({ length: 2_000 }, (_, index) => begun(`r${round}-${index}`));
      await Promise.all(many.map((each) => log.begin(each)));
      for (const each of many) log.end(each);
    }
    await log.begin(begun("last"));
    expect(statSync(path).size).toBeLessThan(5 * 2 ** 20);
    await log.close();
    expect(await ids()).toEqual(["open 1", "last 1"]);
  });

  it("refuses a beginning that the disk does not take, and keeps an end for later", async () => {
    const log = await StartLog.open(folder);
    await log.begin(begun("i1"));
    disk.isFull = true;
    log.end(begun("i1"));
    await expect(log.begin(begun("i2"))).rejects.toThrow("ENOSPC");
    disk.isFull = false;
    await log.begin(begun("i3"));
    await log.close();
    expect(await ids()).toEqual(["i3 1"]);
  });
});

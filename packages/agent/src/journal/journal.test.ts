import type * as NodeFs from "node:fs";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openJournal } from "./journal.ts";

const disk = vi.hoisted(() => ({ isFull: false }));
vi.mock("node:fs", async (importOriginal) => {
  const fs = await importOriginal<typeof NodeFs>();
  const writeSync = (file: number, text: string) => {
    if (disk.isFull) throw new Error("ENOSPC: no space left on device, write");
    return fs.writeSync(file, text);
  };
  return { ...fs, writeSync };
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "longshore-journal-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const run = { invocationId: "i1", attempt: 1, instanceId: "n1" };

describe("the journal", () => {
  it("has the start record in the file before started() returns", () => {
    const journal = openJournal(folder);
    journal.started(run);
    expect(readFileSync(join(folder, "runs"), "utf8")).toBe("S i1 1 n1\n");
    journal.close();
  });

  it("names the runs that were under way when the process died", () => {
    const before = openJournal(folder);
    before.started(run);
    before.started({ ...run, invocationId: "i2" });
    before.ended({ invocationId: "i2", attempt: 1, outcome: "succeeded" });
    before.close();
    const after = openJournal(folder);
    expect(after.interrupted).toEqual([run]);
    after.close();
    const later = openJournal(folder);
    expect(later.interrupted).toEqual([run]); // The process between may have died before it had ended them.
    later.ended({ ...run, outcome: "lost" });
    later.close();
    const last = openJournal(folder);
    expect(last.interrupted).toEqual([]);
    last.close();
  });

  it("keeps an end for later where the disk is full, and refuses the next start with the disk's word", () => {
    vi.useFakeTimers();
    const journal = openJournal(folder);
    journal.started(run);
    disk.isFull = true;
    journal.ended({ ...run, outcome: "succeeded" });
    expect(() => vi.advanceTimersByTime(1_000)).not.toThrow();
    expect(() => journal.started({ ...run, invocationId: "i2" })).toThrow("ENOSPC");
    disk.isFull = false;
    journal.started({ ...run, invocationId: "i3" });
    expect(readFileSync(join(folder, "runs"), "utf8")).toBe("S i1 1 n1\nE i1 1 succeeded\nS i3 1 n1\n");
    journal.close();
    vi.useRealTimers();
  });

  it("passes over a line that the crash cut short", () => {
    openJournal(folder).close();
    appendFileSync(join(folder, "runs"), "S i1 1 n1\nS i2 1");
    const journal = openJournal(folder);
    expect(journal.interrupted).toEqual([run]);
    journal.close();
  });

  it("stays small over many runs and keeps the open ones", () => {
    const journal = openJournal(folder);
    journal.started({ ...run, invocationId: "open" });
    for (let index = 0; index < 120_000; index += 1) {
      journal.started({ ...run, invocationId: `run-${index}` });
      journal.ended({ invocationId: `run-${index}`, attempt: 1, outcome: "succeeded" });
    }
    expect(readFileSync(join(folder, "runs")).length).toBeLessThan(5 * 2 ** 20);
    journal.close();
    const after = openJournal(folder);
    expect(after.interrupted.map((found) => found.invocationId)).toEqual(["open"]);
    after.close();
  });
});

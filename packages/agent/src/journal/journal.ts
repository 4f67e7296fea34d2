import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

/**
 * What the agent writes down of its runs. A start record is in the file before any line of the image's code runs; it is not synced
 * for sync invocations (it survives `kill -9`, not a power cut: no durable write stands on the sync path). An end record follows a
 * moment later: without it a run counts as interrupted, which costs an instance and no truth.
 */
export interface Journal {
  started(run: { invocationId: string; attempt: number; instanceId: string }): void;
  ended(run: { invocationId: string; attempt: number; outcome: string }): void;
  /** Runs that were under way when processes before this one died: they are `lost`, whatever they did. Named by every process until {@link ended}. */
  readonly interrupted: readonly InterruptedRun[];
  close(): void;
}

export interface InterruptedRun {
  readonly invocationId: string;
  readonly attempt: number;
  readonly instanceId: string;
}

/** End records wait that long for the next start record, to be written with it. */
const endsWaitMs = 50;

/** Rewritten to the runs still open when it has grown by this much. */
const compactAfterBytes = 4 * 2 ** 20;

/** Opens the journal in a folder, reading what an earlier process left. Lines: `S id attempt instance`, `E id attempt outcome`. */
export function openJournal(folder: string): Journal {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, "runs");
  const interrupted = [...openRuns(readIfThere(path)).values()];
  let open = new Map(interrupted.map((run) => [keyOf(run), run]));
  let written = 0;
  // Should this process die before their instances are ended, the next one must know of them.
  writeFileSync(`${path}.new`, interrupted.map(startLine).join(""), { mode: 0o600 });
  renameSync(`${path}.new`, path);
  let file = openSync(path, "a", 0o600);
  let ends = "";
  let timer: NodeJS.Timeout | undefined;

  const write = (line: string) => {
    clearTimeout(timer);
    timer = undefined;
    written += writeSync(file, ends + line);
    ends = "";
    if (written < compactAfterBytes) return;
    writeFileSync(`${path}.new`, [...open.values()].map(startLine).join(""), { mode: 0o600 });
    renameSync(`${path}.new`, path);
    closeSync(file);
    file = openSync(path, "a", 0o600);
    written = 0;
  };

  /** What cannot be written now is written with the next start, which says why where it cannot. */
  const writeEnds = () => {
    try {
      write("");
    } catch {
      timer = undefined;
    }
  };

  return {
    interrupted,
    started(run) {
      open.set(keyOf(run), run);
      write(startLine(run));
    },
    ended(run) {
      open.delete(keyOf(run));
      ends += `E ${run.invocationId} ${run.attempt} ${run.outcome}\n`;
      timer ??= setTimeout(writeEnds, endsWaitMs);
    },
    close() {
      if (ends !== "") writeEnds();
      open = new Map();
      closeSync(file);
    },
  };
}

const keyOf = (run: { invocationId: string; attempt: number }) => `${run.invocationId} ${run.attempt}`;
const startLine = (run: InterruptedRun) => `S ${run.invocationId} ${run.attempt} ${run.instanceId}\n`;

function openRuns(text: string): Map<string, InterruptedRun> {
  const open = new Map<string, InterruptedRun>();
  for (const line of text.split("\n")) {
    const [kind, invocationId, attempt, rest] = line.split(" ");
    if (invocationId === undefined || rest === undefined) continue; // A line cut short by the crash: it never counted.
    const run = { invocationId, attempt: Number(attempt), instanceId: rest };
    if (kind === "S") open.set(keyOf(run), run);
    if (kind === "E") open.delete(keyOf(run));
  }
  return open;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

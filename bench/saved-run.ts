import { readFileSync, writeFileSync } from "node:fs";
import { arch, cpus, release } from "node:os";
import { z } from "zod";
import type { BenchResult } from "./result.ts";

const savedResultSchema = z.object({ name: z.string(), ratio: z.number(), ours: z.number(), reference: z.number(), unit: z.string(), figures: z.record(z.string(), z.array(z.number())) });
const savedRunSchema = z.object({ at: z.string(), machine: z.string(), results: z.array(savedResultSchema) });

/** A run as it was saved: what a later one is compared with. */
export type SavedRun = z.output<typeof savedRunSchema>;

/** One run of this machine, now. */
export function runOf(results: readonly BenchResult[], at: Date): { readonly at: string; readonly machine: string; readonly results: readonly BenchResult[] } {
  return { at: at.toISOString(), machine: `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}, Linux ${release()} ${arch()}, Node ${process.version}`, results };
}

/** Writes a run to be compared with. */
export function saveRun(path: string, run: ReturnType<typeof runOf>): void {
  writeFileSync(path, `${JSON.stringify(run)}\n`);
}

/** Reads one; throws naming the file when it is none. */
export function readRun(path: string): SavedRun {
  try {
    return savedRunSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw new Error(`Cannot compare with ${JSON.stringify(path)}: it is no saved run`, { cause });
  }
}

/** How a ratio stands to an earlier one, in percent: `+3 %`, or nothing where there is no earlier one. */
export function changeOf(result: BenchResult, before: SavedRun | undefined): string {
  const earlier = before?.results.find(({ name }) => name === result.name);
  if (earlier === undefined) return "";
  const percent = Math.round((result.ratio / earlier.ratio - 1) * 100);
  return `${percent > 0 ? "+" : ""}${percent} %`;
}

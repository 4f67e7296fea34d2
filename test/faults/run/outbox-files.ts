import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ResultSegment } from "../../../packages/agent/src/journal/result-segment.ts";

/** What lies in an agent's outbox and waits to be settled. */
export interface OutboxContents {
  readonly waiting: readonly string[];
  /** As its quota counts them. */
  readonly bytes: number;
}

/**
 * Reads it from the files that the agent writes meanwhile. A settled result stays in its segment until all of that is settled: which
 * ones are, the log of starts tells, where it has no end of what still waits.
 */
export async function readOutbox(dataFolder: string): Promise<OutboxContents> {
  const open = openIn(await readFile(join(dataFolder, "journal", "begun"), "utf8").catch(() => ""));
  const folder = join(dataFolder, "outbox");
  const numbers = (await readdir(folder)).map((name) => Number(name.replace("results.", ""))).sort((a, b) => a - b);
  const waiting: string[] = [];
  let bytes = 0;
  for (const number of numbers) {
    const read = await ResultSegment.read(number, join(folder, `results.${number}`)).catch(() => undefined);
    if (read === undefined) continue; // It was settled while we looked.
    const unsettled = read.found.filter(({ key }) => open.has(`${key.invocationId} ${key.attempt}`));
    waiting.push(...unsettled.map(({ key }) => key.invocationId));
    bytes += number === numbers.at(-1) ? unsettled.reduce((sum, { place }) => sum + place.byteLength, 0) : read.segment.byteLength;
  }
  return { waiting, bytes };
}

/** `B id attempt …` for a beginning, `E id attempt` once its result is settled. */
function openIn(log: string): ReadonlySet<string> {
  const open = new Set<string>();
  for (const line of log.split("\n")) {
    const [kind, invocationId, attempt] = line.split(" ");
    if (kind === "B") open.add(`${invocationId} ${attempt}`);
    if (kind === "E") open.delete(`${invocationId} ${attempt}`);
  }
  return open;
}

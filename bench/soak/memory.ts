import { readdirSync, readFileSync } from "node:fs";
import { median } from "../measure.ts";
import { processorSeconds, residentBytes } from "../process-usage.ts";

/** What the processes of a fleet took at one moment of a soak. */
export interface Sample {
  readonly minutes: number;
  /** Resident memory of each part, MiB. */
  readonly mebibytes: Readonly<Record<string, number>>;
  /** Open files and connections of each part. */
  readonly openFiles: Readonly<Record<string, number>>;
}

/** Takes a sample; `parts` are process ids by name. */
export function takeSample(minutes: number, parts: Readonly<Record<string, number>>): Sample {
  const of = (figure: (id: number) => number) => Object.fromEntries(Object.entries(parts).map(([name, id]) => [name, figure(id)]));
  return { minutes, mebibytes: of((id) => residentBytes(id) / 2 ** 20), openFiles: of((id) => readdirSync(`/proc/${id}/fd`).length) };
}

/** The embedded bus of a broker: its only child that is a nats-server. */
export function busOf(brokerId: number): number {
  const children = readFileSync(`/proc/${brokerId}/task/${brokerId}/children`, "utf8").trim().split(" ").map(Number);
  const bus = children.find((id) => readFileSync(`/proc/${id}/comm`, "utf8").startsWith("nats-server"));
  if (bus === undefined) throw new Error(`Cannot find the bus: process ${brokerId} has no child that is a nats-server`);
  return bus;
}

/** Processor time per wall time of each part, in parts of one core, since it began. */
export function processorShare(parts: Readonly<Record<string, number>>, minutes: number): Record<string, number> {
  return Object.fromEntries(Object.entries(parts).map(([name, id]) => [name, processorSeconds([id]) / (minutes * 60)]));
}

/** What a part took in its second quarter and in its last: the first is for warming up. */
export interface Trend {
  readonly before: number;
  readonly after: number;
  readonly isFlat: boolean;
}

const mostGrowth = 1.1;

/** A part's trend in one figure. */
export function trendOf(samples: readonly Sample[], figure: "mebibytes" | "openFiles", part: string): Trend {
  const quarter = Math.floor(samples.length / 4);
  const middle = (from: number, to: number) => median(samples.slice(from, to).map((sample) => sample[figure][part] ?? 0));
  const [before, after] = [middle(quarter, 2 * quarter), middle(3 * quarter, samples.length)];
  return { before, after, isFlat: after <= before * mostGrowth };
}

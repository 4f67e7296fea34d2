import { historySteps } from "@longshore/protocol";
import { z } from "zod";
import type { Tallies } from "./step-counter.ts";
import { tallySchema } from "./tally.ts";

/** What one broker counted in one step. */
export interface Summary {
  readonly brokerId: string;
  /** One of {@link historySteps}. */
  readonly stepMs: number;
  /** A multiple of it, epoch milliseconds. */
  readonly atMs: number;
  readonly tallies: Tallies;
}

const documentSchema = z.object({ functions: z.array(z.tuple([z.string(), tallySchema])) });
const nameSchema = z.object({ brokerId: z.string(), stepMs: z.number().refine((stepMs) => historySteps.some((each) => each.stepMs === stepMs)), atMs: z.number().int().nonnegative() });

/** A summary's document, for the bus. */
export function summaryDocument(tallies: Tallies): unknown {
  return { functions: [...tallies] };
}

/** Reads a summary; undefined: another version wrote it, or it is damaged. */
export function readSummary(name: { readonly brokerId: string; readonly stepMs: number; readonly atMs: number }, document: unknown): Summary | undefined {
  const [named, read] = [nameSchema.safeParse(name), documentSchema.safeParse(document)];
  if (!named.success || !read.success || named.data.atMs % named.data.stepMs !== 0) return undefined;
  return { ...named.data, tallies: new Map(read.data.functions) };
}

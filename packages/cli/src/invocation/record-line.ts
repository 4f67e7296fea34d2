import { type InvocationRecord, outcomes } from "@longshore/protocol";
import { inert } from "../terminal/inert.ts";
import { formatDuration } from "../terminal/quantity.ts";
import type { Style } from "../terminal/style.ts";
import { fitWidth, textWidth } from "../terminal/text-width.ts";
import { paintOutcome } from "./outcome-style.ts";

/** How records are laid out, one a line. */
export interface RecordLayout {
  readonly style: Style;
  /** What is known of the reason is cut to that; Infinity: it is not. */
  readonly columns: () => number;
}

const outcomeColumns = Math.max(...outcomes.map((outcome) => outcome.length));
const [leastName, mostName, leastPlace, mostPlace] = [10, 50, 14, 60];

/**
 * Formats one record after another as `12:00:01.250 succeeded  resize  plant/plant-1  warm  38ms ID`: when it ended (UTC), what became of it,
 * where, how its instance came to be, how long it took in all, and why where it did not succeed. Columns grow with what they have held.
 */
export function createRecordLines({ style, columns }: RecordLayout): (record: InvocationRecord) => string {
  let [nameColumns, placeColumns] = [leastName, leastPlace];
  return (record) => {
    const { result, timings, start } = record;
    const name = fitWidth(inert(record.functionName), mostName);
    const place = fitWidth(inert(record.agentId === undefined ? "-" : `${record.siteId}/${record.agentId}`), mostPlace);
    nameColumns = Math.max(nameColumns, textWidth(name));
    placeColumns = Math.max(placeColumns, textWidth(place));
    const took = (timings.totalMs === undefined ? "-" : formatDuration(timings.totalMs)).padStart(7);
    const head = [inert(record.finishedAt.slice(11, 23)).padEnd(12), result.outcome.padEnd(outcomeColumns), pad(name, nameColumns), pad(place, placeColumns), (start ?? "-").padEnd(4), took, inert(record.invocationId)];
    const why = fitWidth(inert(whyOf(record)), columns() - textWidth(head.join(" ")) - 1);
    const [at = "", outcome = "", ...rest] = head;
    return [style.dim(at), paintOutcome(result.outcome, outcome, style), ...rest, ...(why === "" ? [] : [style.dim(why)])].join(" ");
  };
}

function whyOf({ attempt, past, result }: InvocationRecord): string {
  const attempts = past === undefined && attempt === 1 ? [] : [`attempt ${attempt}`];
  const why = result.outcome === "succeeded" ? undefined : (result.message ?? result.error?.message ?? (result.exitCode === undefined ? undefined : `exit code ${result.exitCode}`));
  return [...attempts, ...(why === undefined ? [] : [why])].join(": ");
}

function pad(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - textWidth(text)));
}

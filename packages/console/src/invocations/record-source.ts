import type { RecordPage } from "@longshore/protocol";
import type { Fleet, InvocationRecord, RecordQuery } from "@longshore/sdk";
import { unlessUnknown } from "../shell/older-broker.ts";

/** A page of terminal records, newest first; undefined where this broker is older and lists none. */
export async function readRecords(fleet: Pick<Fleet, "records">, query: RecordQuery): Promise<RecordPage | undefined> {
  return unlessUnknown(fleet.records.page(query));
}

/** A page may be short and have another behind it: no more than so many are asked for in a row. */
const mostPages = 4;

/** The newest records, as many as `query.limit`; fewer where there are no more, or where they lie far apart. None where this broker lists none. */
export async function newestRecords(fleet: Pick<Fleet, "records">, query: RecordQuery & { readonly limit: number }): Promise<readonly InvocationRecord[]> {
  const found: InvocationRecord[] = [];
  let before = query.before;
  for (let count = 0; count < mostPages && found.length < query.limit; count += 1) {
    const page = await readRecords(fleet, { ...query, limit: query.limit - found.length, ...(before !== undefined && { before }) });
    found.push(...(page?.records ?? []));
    before = page?.next;
    if (before === undefined) break;
  }
  return found;
}

/** Both lists as one, newest first, each invocation once; what the page was told comes before what it asked for. */
export function newestOf(live: readonly InvocationRecord[], before: readonly InvocationRecord[], most: number): readonly InvocationRecord[] {
  const known = new Set(live.map(({ invocationId }) => invocationId));
  return [...live, ...before.filter(({ invocationId }) => !known.has(invocationId))].sort((a, b) => Date.parse(b.finishedAt) - Date.parse(a.finishedAt)).slice(0, most);
}

import { type InvocationRecord, invocationRecordSchema, type RecordPage, type RecordPageQuery, type TenantId } from "@longshore/protocol";
import { instantOf } from "../bus/instant.ts";
import type { KeptRecord, RecordReader } from "../bus/kept-record.ts";
import { MergedRecords } from "./merged-records.ts";

export interface RecordPagesOptions {
  /** Where records are: of sync invocations, and of accepted ones. */
  readonly readers: readonly RecordReader[];
  /** Told of each record that a page leaves out because it cannot be read. */
  readonly unreadable: (record: KeptRecord) => void;
  readonly limits?: { readonly records: number; readonly bytes: number };
}

/** What one page looks at, at most: a filter that matches little is gone on with by the next page. */
const defaultLimits = { records: 2_000, bytes: 32 * 2 ** 20 };
/** Read at once where not every record is wanted. */
const filteredChunk = 200;
/** Servers count nanoseconds since 1970 in 63 bits; nothing of ours was stored before, or will be after. */
const [firstInstant, lastInstant] = ["1970-01-01T00:00:01.000000000Z", "2262-01-01T00:00:00.000000000Z"];

/**
 * Terminal records of sync and of accepted invocations as one listing, newest first.
 *
 * Pages are cut at the instants at which the bus stored the records, not at those at which invocations ended: of many brokers' clocks and of
 * outages only the former make one order, in which no record can come to stand where a reader has already been. Within a page the order is that of the ends.
 */
export class RecordPages {
  readonly #options: RecordPagesOptions;

  constructor(options: RecordPagesOptions) {
    this.#options = options;
  }

  /** May be shorter than asked for, or empty, and have a `next`: then it looked no further back than that. Throws `bus_down`. */
  async page(tenantId: TenantId, query: RecordPageQuery): Promise<RecordPage> {
    const before = query.before === undefined ? undefined : instantOf(query.before);
    if (before !== undefined && before < firstInstant) return { records: [] };
    const wanted = { tenantId, functionName: query.function ?? ("*" as const), before: before === undefined || before > lastInstant ? undefined : before, atOnce: isFiltered(query) ? filteredChunk : query.limit + 1 };
    const merged = new MergedRecords(this.#options.readers.map((reader) => reader.newestFirst(wanted)));
    try {
      return await this.#fill(merged, query);
    } finally {
      await merged.close();
    }
  }

  async #fill(merged: MergedRecords, query: RecordPageQuery): Promise<RecordPage> {
    const limits = this.#options.limits ?? defaultLimits;
    const records: InvocationRecord[] = [];
    let [looked, bytes] = [0, 0];
    let last: string | undefined;
    for (let next = await merged.peek(); next !== undefined; next = await merged.peek()) {
      const isFull = records.length >= query.limit || looked >= limits.records || bytes >= limits.bytes;
      if (isFull && next.storedAt !== last) return { records: byEnd(records), next: last }; // Those of one instant are never parted.
      merged.take();
      last = next.storedAt;
      looked += 1;
      bytes += next.byteLength;
      const record = this.#read(next);
      if (record !== undefined && matches(record, query)) records.push(record);
    }
    return { records: byEnd(records) };
  }

  #read(kept: KeptRecord): InvocationRecord | undefined {
    const parsed = invocationRecordSchema.safeParse(kept.head);
    if (!parsed.success) this.#options.unreadable(kept);
    return parsed.data;
  }
}

const isFiltered = ({ function: functionName, outcome, site, agent }: RecordPageQuery) => [functionName, outcome, site, agent].some((each) => each !== undefined);

function matches(record: InvocationRecord, { function: functionName, outcome, site, agent }: RecordPageQuery): boolean {
  return (functionName ?? record.functionName) === record.functionName && (outcome ?? record.result.outcome) === record.result.outcome && (site ?? record.siteId) === record.siteId && (agent ?? record.agentId) === record.agentId;
}

function byEnd(records: readonly InvocationRecord[]): InvocationRecord[] {
  return records.toSorted((a, b) => Date.parse(b.finishedAt) - Date.parse(a.finishedAt));
}

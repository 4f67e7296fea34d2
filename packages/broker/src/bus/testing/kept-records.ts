import { instantOf } from "../instant.ts";
import type { KeptRecord, RecordsWanted } from "../kept-record.ts";

interface Key {
  readonly tenantId: string;
  readonly functionName?: string;
  readonly invocationId: string;
}

/** Records in the order in which they were stored, each at an instant of its own. */
export class KeptRecords {
  readonly #now: () => Date;
  readonly #all: (KeptRecord & { readonly key: Key })[] = [];

  constructor(now: () => Date) {
    this.#now = now;
  }

  add(key: Key, head: unknown, bodyBytes: number): void {
    const sequence = this.#all.length + 1;
    const storedAt = instantOf(this.#now().toISOString().replace("Z", `${String(sequence % 1_000_000).padStart(6, "0")}Z`));
    this.#all.push({ key, invocationId: key.invocationId, sequence, storedAt, head, byteLength: JSON.stringify(head).length + bodyBytes });
  }

  *newestFirst({ tenantId, functionName, before, atOnce }: RecordsWanted): Generator<readonly KeptRecord[], void> {
    const wanted = this.#all
      .filter(({ key, storedAt }) => key.tenantId === tenantId && (functionName === "*" || key.functionName === functionName) && (before === undefined || storedAt < before))
      .toReversed()
      .map(({ key: _key, ...record }) => record);
    for (let from = 0; from < wanted.length; from += atOnce) yield wanted.slice(from, from + atOnce);
  }
}

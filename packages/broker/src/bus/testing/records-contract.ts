import { createInvocationId, type FunctionName, type TenantId } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import type { KeptRecord, RecordReader, RecordsWanted } from "../kept-record.ts";

/** A stream of terminal records, and how one gets there. */
export interface OpenedRecords extends AsyncDisposable {
  readonly reader: RecordReader;
  /** True where it knows the records of one function from those of others. */
  readonly knowsFunctions: boolean;
  /** Resolves once it is stored. */
  store(tenantId: TenantId, functionName: FunctionName, invocationId: string, head: unknown): Promise<void>;
}

const acme = "acme" as TenantId;
const resize = "resize" as FunctionName;

async function readAll(reader: RecordReader, wanted: Partial<RecordsWanted> = {}): Promise<KeptRecord[]> {
  const all: KeptRecord[] = [];
  for await (const chunk of reader.newestFirst({ tenantId: acme, functionName: "*", atOnce: 10, ...wanted })) all.push(...chunk);
  return all;
}

/** What every stream of records promises: the real ones and their doubles. */
export function describeRecords(name: string, open: () => Promise<OpenedRecords>): void {
  describe(name, () => {
    async function filled(opened: OpenedRecords, count: number, functionOf: (index: number) => string = () => resize): Promise<string[]> {
      const ids = Array.from({ length: count }, () => createInvocationId() as string);
      for (const [index, id] of ids.entries()) {
        await opened.store(acme, functionOf(index) as FunctionName, id, { index });
        await opened.store("globex" as TenantId, resize, createInvocationId(), { index });
      }
      return ids;
    }

    it("gives a tenant's records newest first, each once, whatever the size of a chunk, and no other tenant's", async () => {
      await using opened = await open();
      expect(await readAll(opened.reader)).toEqual([]);
      const ids = await filled(opened, 60);
      for (const atOnce of [1, 7, 200]) expect((await readAll(opened.reader, { atOnce })).map(({ invocationId }) => invocationId)).toEqual(ids.toReversed());
      expect((await readAll(opened.reader)).map(({ head }) => head)).toEqual(ids.map((_, index) => ({ index })).toReversed());
    });

    it("goes on before any record's instant, with the one before it", async () => {
      await using opened = await open();
      const ids = await filled(opened, 12);
      const all = await readAll(opened.reader);
      expect(all.map(({ storedAt }) => storedAt)).toEqual(all.map(({ storedAt }) => storedAt).toSorted().toReversed());
      for (const [index, { storedAt }] of all.entries()) {
        const older = await readAll(opened.reader, { before: storedAt, atOnce: 3 });
        expect(older.map(({ invocationId }) => invocationId)).toEqual(ids.toReversed().slice(index + 1));
      }
    });

    it("leaves out other functions where it knows them apart, however few there are of the one", async () => {
      await using opened = await open();
      const ids = await filled(opened, 50, (index) => (index % 20 === 3 ? "rare" : "resize"));
      const found = (await readAll(opened.reader, { functionName: "rare" as FunctionName, atOnce: 2 })).map(({ invocationId }) => invocationId);
      expect(found).toEqual(ids.filter((_, index) => !opened.knowsFunctions || index % 20 === 3).toReversed());
    });
  });
}

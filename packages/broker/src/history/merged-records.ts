import type { KeptRecord } from "../bus/kept-record.ts";

type Chunks = AsyncGenerator<readonly KeptRecord[], void>;

/** One reader's records: the chunk that was read, as far as it has been taken, and whether more may follow. */
interface Source {
  readonly chunks: Chunks;
  chunk: readonly KeptRecord[];
  taken: number;
  isDone: boolean;
}

/** Several readers' records as one, newest first by the instants at which they were stored. */
export class MergedRecords {
  readonly #sources: readonly Source[];

  constructor(readers: readonly Chunks[]) {
    this.#sources = readers.map((chunks) => ({ chunks, chunk: [], taken: 0, isDone: false }));
  }

  /** The newest that has not been taken; undefined: there is none. */
  async peek(): Promise<KeptRecord | undefined> {
    if (this.#sources.some(isEmpty)) await Promise.all(this.#sources.map(fill));
    return this.#newest()?.head;
  }

  /** Takes what {@link peek} gave. */
  take(): void {
    const newest = this.#newest();
    if (newest !== undefined) newest.source.taken += 1;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#sources.map(({ chunks }) => chunks.return()));
  }

  #newest(): { readonly source: Source; readonly head: KeptRecord } | undefined {
    let newest: { readonly source: Source; readonly head: KeptRecord } | undefined;
    for (const source of this.#sources) {
      const head = source.chunk[source.taken];
      if (head !== undefined && (newest === undefined || head.storedAt > newest.head.storedAt)) newest = { source, head };
    }
    return newest;
  }
}

const isEmpty = (source: Source) => source.taken >= source.chunk.length && !source.isDone;

async function fill(source: Source): Promise<void> {
  while (isEmpty(source)) {
    const next = await source.chunks.next();
    source.isDone = next.done === true;
    source.chunk = next.done === true ? [] : next.value;
    source.taken = 0;
  }
}

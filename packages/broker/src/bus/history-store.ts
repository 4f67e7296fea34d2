/** Whose summary it is, and of which step (epoch and length in milliseconds). */
export interface SummaryName {
  readonly brokerId: string;
  readonly stepMs: number;
  readonly atMs: number;
}

/** Every broker's summaries of what ended, on disk, each kept for as long as its kind is. */
export interface HistoryStore {
  /** Stores a JSON document under its name; resolves once its fate is known: where the bus is away, or refuses it, it is dropped and counted. */
  write(name: SummaryName, lifeMs: number, document: unknown): Promise<void>;
  /** Tells every summary that stands, then each new one, this broker's own as well; over any number of connections, each of which begins anew. `ready`: the first pass is done. */
  follow(follower: (name: SummaryName, document: unknown) => void): { readonly ready: Promise<void>; close(): void };
}

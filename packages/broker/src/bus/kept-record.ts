import type { FunctionName, TenantId } from "@longshore/protocol";

/** A terminal record as a stream keeps it, without the answer's body. */
export interface KeptRecord {
  readonly invocationId: string;
  /** Where it stands in its stream. */
  readonly sequence: number;
  /** The instant (`instant.ts`) at which the bus stored it: moments after the invocation ended, or longer where the bus was away. */
  readonly storedAt: string;
  /** A JSON document; undefined where what is stored cannot be taken apart. */
  readonly head: unknown;
  /** What reading it cost, its body included. */
  readonly byteLength: number;
}

/** Which records, and how many at a time. */
export interface RecordsWanted {
  readonly tenantId: TenantId;
  /** A hint: a stream that does not know functions apart gives those of all. */
  readonly functionName: FunctionName | "*";
  /** Only what was stored before that instant; absent: all. */
  readonly before?: string | undefined;
  /** About so many are read at once. */
  readonly atOnce: number;
}

/** Terminal records backwards. */
export interface RecordReader {
  /**
   * Every record of a tenant, newest first, each once, in chunks that are read as they are asked for; what is stored while it reads may be left out.
   * Throws `bus_down`.
   */
  newestFirst(wanted: RecordsWanted): AsyncGenerator<readonly KeptRecord[], void>;
}

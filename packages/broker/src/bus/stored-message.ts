/** A header of a message; a name may come more than once. */
export type MessageHeader = readonly [name: string, value: string];

/** A message as a stream has it. */
export interface StoredMessage {
  readonly subject: string;
  readonly sequence: number;
  /** Epoch milliseconds, by the server's clock. */
  readonly storedAtMs: number;
  readonly headers: readonly MessageHeader[];
  readonly payload: Uint8Array;
}

/** A message for a stream that is being made anew. */
export type RestoredMessage = Pick<StoredMessage, "subject" | "headers" | "payload">;

/** A stream's configuration, in the server's own words; what we read of it is named. */
export interface StreamSettings {
  readonly name: string;
  /** 1: a message takes the place of the one before it on its subject. */
  readonly max_msgs_per_subject?: number | undefined;
  /** Nanoseconds that a message stays; 0: for ever. */
  readonly max_age?: number | undefined;
  readonly allow_atomic?: boolean | undefined;
  readonly [setting: string]: unknown;
}

/** The first value of a header; undefined where there is none. */
export function headerOf({ headers }: Pick<StoredMessage, "headers">, name: string): string | undefined {
  return headers.find(([known]) => known === name)?.[1];
}

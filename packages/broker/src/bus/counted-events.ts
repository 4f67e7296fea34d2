/** What a bus drops or counts, by the names that metrics give it. */
export const countedEvents = ["unsolicited_replies", "malformed_messages", "records_dropped", "records_refused", "history_dropped"] as const;
export type CountedEvent = (typeof countedEvents)[number];

/** Counts one that happened. */
export type CountEvent = (event: CountedEvent) => void;

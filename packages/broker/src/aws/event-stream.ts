import { EventStreamCodec } from "@smithy/core/event-streams";

const codec = new EventStreamCodec((bytes) => Buffer.from(bytes).toString("utf8"), (text) => Buffer.from(text, "utf8"));
const text = (value: string) => ({ type: "string" as const, value });

/** Content type of a streamed answer. */
export const eventStreamType = "application/vnd.amazon.eventstream";

/** A part of a streamed answer. */
export function payloadChunk(bytes: Uint8Array): Uint8Array {
  return event("PayloadChunk", "application/octet-stream", bytes);
}

/** What stands behind the last part: how it ended, and the end of the log where it was asked for. */
export interface InvokeComplete {
  readonly ErrorCode?: string;
  readonly ErrorDetails?: string;
  readonly LogResult?: string;
}

/** The last event of a streamed answer. */
export function invokeComplete(end: InvokeComplete): Uint8Array {
  return event("InvokeComplete", "application/json", Buffer.from(JSON.stringify(end)));
}

function event(type: string, contentType: string, body: Uint8Array): Uint8Array {
  return codec.encode({ headers: { ":event-type": text(type), ":content-type": text(contentType), ":message-type": text("event") }, body });
}

import type { InvocationRecord, InvocationView, LogLine } from "@longshore/protocol";
import type { HttpClient } from "./http-client.ts";
import type { LogOptions, ReadLogs } from "./logs.ts";
import { eachChange, invocationPath, lookAt, whenEnded } from "./look.ts";

/** An invocation by its id, from wherever it was begun. Iterated, it gives its view as it is and whenever that changes, the finished one last. */
export interface InvocationHandle extends AsyncIterable<InvocationView> {
  readonly invocationId: string;
  /** Its state, or what became of it; `invocation_not_found` for one that is not known, or not any more (15 minutes; what was accepted, seven days). */
  status(): Promise<InvocationView>;
  /** Waits for what becomes of it, over broken connections; the signal ends the waiting, not the invocation. */
  ended(options?: { signal?: AbortSignal | undefined }): Promise<InvocationRecord>;
  /** Asks for its end; {@link ended} tells when it has come. */
  cancel(): Promise<void>;
  /** The answer's body, where it was kept: `still_running`, `result_not_kept`. */
  result(): Promise<ReadableStream<Uint8Array>>;
  /** The same as bytes, as text, or parsed. */
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  text(): Promise<string>;
  json(): Promise<unknown>;
  /** What it wrote, for as long as agents keep it; with `follow` until it is over. Of instances that serve one invocation at a time. */
  logs(options?: LogOptions): AsyncGenerator<LogLine, void>;
}

/** A handle; with `isKnown` of one that was accepted, so that a broker that cannot be reached does not end its waiting. */
export function createHandle(http: HttpClient, readLogs: ReadLogs, invocationId: string, { isKnown = false } = {}): InvocationHandle {
  const path = invocationPath(invocationId);
  const request = { method: "GET", path: `${path}/result`, accept: "*/*" } as const;
  return {
    invocationId,
    status: () => lookAt(http, invocationId, { waitMs: 0 }),
    ended: ({ signal } = {}) => whenEnded(http, invocationId, { signal, isKnown }),
    cancel: async () => {
      await http.json({ method: "DELETE", path });
    },
    result: async () => (await http.send(request)).body ?? new Blob([]).stream(),
    bytes: () => http.bytes(request),
    text: async () => new TextDecoder().decode(await http.bytes(request)),
    json: () => http.json(request),
    logs: (logOptions = {}) => readLogs({ invocationId }, logOptions),
    [Symbol.asyncIterator]: () => eachChange(http, invocationId, { isKnown }),
  };
}

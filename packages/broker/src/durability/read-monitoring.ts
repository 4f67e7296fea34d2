import { get as getHttp, type IncomingMessage } from "node:http";
import { get as getHttps } from "node:https";
import { json } from "node:stream/consumers";
import { Transform } from "node:stream";
import type { StreamName } from "./server-report.ts";

/** A server's account of itself takes a few KiB. */
const documentMaxBytes = 1024 * 1024;

export interface ReadMonitoringOptions extends StreamName {
  /** CA certificates (PEM) that `https://` servers are checked against; default: the public ones. */
  readonly ca: string | undefined;
  readonly withinMs: number;
}

/** Reads a server's JSZ document from its monitoring address (`http://host:8222`); throws when it does not come whole and in time. */
export async function readMonitoring(address: string, { accountKey, ca, withinMs }: ReadMonitoringOptions): Promise<unknown> {
  const url = new URL("jsz", address.endsWith("/") ? address : `${address}/`);
  url.search = new URLSearchParams({ config: "true", streams: "true", acc: accountKey }).toString();
  const signal = AbortSignal.timeout(withinMs);
  const response = await open(url, { signal, agent: false, ...(ca !== undefined && { ca }) });
  if (response.statusCode === 200) return json(response.pipe(atMost(documentMaxBytes, response)));
  response.destroy();
  throw new Error(`status ${response.statusCode ?? "unknown"}`);
}

function open(url: URL, options: { readonly signal: AbortSignal; readonly agent: false; readonly ca?: string }): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    (url.protocol === "https:" ? getHttps : getHttp)(url, options, resolve).on("error", reject);
  });
}

/** Passes bytes on up to that many. A source that breaks breaks what is read from it too. */
function atMost(maxBytes: number, source: IncomingMessage): Transform {
  let bytes = 0;
  const limit = new Transform({
    transform(chunk: Buffer, _, done) {
      bytes += chunk.length;
      done(bytes > maxBytes ? new Error("it is too long") : null, chunk);
    },
  });
  source.on("error", (error) => limit.destroy(error));
  limit.on("error", () => source.destroy());
  return limit;
}

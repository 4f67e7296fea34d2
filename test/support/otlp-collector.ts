import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";

/** A span as it came over OTLP. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: it has none. */
  readonly parentId: string;
  readonly name: string;
  /** As OTLP numbers them: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  /** Epoch milliseconds. */
  readonly beginMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
  /** 0 unset, 1 ok, 2 error. */
  readonly status: number;
  readonly message: string;
}

/** Takes spans as an OpenTelemetry collector does, at `/v1/traces`, and reads them by OTLP's own field numbers. */
export class OtlpCollector implements AsyncDisposable {
  readonly spans: CollectedSpan[] = [];
  readonly headers: NodeJS.Dict<string | string[]>[] = [];
  /** What it answers; 503: it takes nothing. */
  status = 200;
  readonly #server: Server;
  #onChange: () => void = () => undefined;

  private constructor() {
    this.#server = createServer((request, response) => {
      void buffer(request).then((body) => {
        this.headers.push(request.headers);
        const isTraces = request.method === "POST" && request.url === "/v1/traces" && request.headers["content-type"] === "application/x-protobuf";
        const status = isTraces ? this.status : 404;
        if (status === 200) this.spans.push(...readRequest(request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body));
        response.writeHead(status, { "content-type": "application/x-protobuf" }).end();
        this.#onChange();
      });
    });
  }

  static async start(): Promise<OtlpCollector> {
    const collector = new OtlpCollector();
    await new Promise<void>((resolve) => collector.#server.listen(0, "127.0.0.1", resolve));
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves once something that came makes it true. */
  async until(isThere: () => boolean): Promise<void> {
    while (!isThere()) await new Promise<void>((resolve) => (this.#onChange = resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

type Fields = ReadonlyMap<number, readonly (bigint | Uint8Array)[]>;

function readRequest(bytes: Uint8Array): CollectedSpan[] {
  return messages(fieldsOf(bytes), 1).flatMap((resourceSpans) => {
    const resource = attributesOf(messages(resourceSpans, 1)[0] ?? new Map(), 1);
    return messages(resourceSpans, 2).flatMap((scopeSpans) => messages(scopeSpans, 2).map((span) => readSpan(span, resource)));
  });
}

function readSpan(span: Fields, resource: CollectedSpan["resource"]): CollectedSpan {
  const [status] = messages(span, 15);
  return {
    traceId: hex(span, 1),
    spanId: hex(span, 2),
    parentId: hex(span, 4),
    name: text(span, 5),
    kind: Number(span.get(6)?.[0] ?? 0),
    beginMs: Number(span.get(7)?.[0]) / 1e6,
    endMs: Number(span.get(8)?.[0]) / 1e6,
    attributes: attributesOf(span, 9),
    resource,
    status: Number(status?.get(3)?.[0] ?? 0),
    message: status === undefined ? "" : text(status, 2),
  };
}

function attributesOf(fields: Fields, number: number): Record<string, unknown> {
  return Object.fromEntries(messages(fields, number).map((pair) => [text(pair, 1), valueOf(messages(pair, 2)[0])]));
}

function valueOf(value: Fields | undefined): unknown {
  if (value?.has(1) === true) return text(value, 1);
  if (value?.has(2) === true) return value.get(2)?.[0] === 1n;
  if (value?.has(3) === true) return Number(value.get(3)?.[0]);
  return undefined;
}

const parts = (fields: Fields, number: number) => (fields.get(number) ?? []) as readonly Uint8Array[];
const messages = (fields: Fields, number: number) => parts(fields, number).map(fieldsOf);
const text = (fields: Fields, number: number) => Buffer.from(parts(fields, number)[0] ?? []).toString();
const hex = (fields: Fields, number: number) => Buffer.from(parts(fields, number)[0] ?? []).toString("hex");

/** A protocol buffer's fields by number, each as its wire type has it. */
function fieldsOf(bytes: Uint8Array): Fields {
  const fields = new Map<number, (bigint | Uint8Array)[]>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = view.getUint8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const byWireType = [varint, () => view.getBigUint64((at += 8) - 8, true), () => { const length = Number(varint()); return bytes.subarray(at, (at += length)); }, undefined, undefined, () => BigInt(view.getUint32((at += 4) - 4, true))];
  while (at < bytes.length) {
    const tag = Number(varint());
    const value = byWireType[tag & 7]?.();
    if (value === undefined) throw new Error(`No wire type ${tag & 7} in OTLP`);
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value]);
  }
  return fields;
}

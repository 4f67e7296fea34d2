import { encodeJson, type Frame, functionNameSchema, invocationIdSchema, type LogLine, LongshoreError, parseName, type SocketOpen, type TenantId } from "@longshore/protocol";
import type { LogQuery } from "../logs/log-query.ts";
import { AnswerBody } from "./answer-body.ts";
import { type Exchange, type ExchangeLink, unexpectedFrame } from "./exchange.ts";

const nothing = new Uint8Array(0);
const lineEnd = Uint8Array.of(10);
/** Lines that come at once go in frames of about that size. */
const batchBytes = 32 * 1024;

/** Where lines come from. */
export interface Logs {
  /** Rejects with `function_not_found`, `invocation_not_found`. */
  open(tenantId: TenantId, query: LogQuery, signal: AbortSignal): Promise<AsyncIterable<LogLine> | Iterable<LogLine>>;
}

type LogsOpen = Extract<SocketOpen, { what: "logs" }>;

/** Turns the head of an `open` into a query; throws naming the field. */
export function readLogsOpen({ what: _, functionName, invocationId, ...filter }: LogsOpen): LogQuery {
  if ((functionName === undefined) === (invocationId === undefined)) {
    throw new LongshoreError("bad_schema", "Cannot read logs: name a function or an invocation, one of them", { phase: "admission", field: "functionName" });
  }
  if (invocationId !== undefined) return { ...filter, invocationId: parseName(invocationIdSchema, invocationId, "invocationId") };
  return { ...filter, functionName: parseName(functionNameSchema, functionName, "functionName") };
}

/** Lines of log on one stream, under the caller's credit: what it does not take is not asked for, and it is told of what it missed. */
export class LogsExchange implements Exchange {
  readonly #link: ExchangeLink;
  readonly #body: AnswerBody;
  readonly #abort = new AbortController();
  #roomAgain: (() => void) | undefined;
  #hasRoom = true;
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #flushing: NodeJS.Immediate | undefined;
  #isOver = false;

  constructor(tenantId: TenantId, query: LogQuery, logs: Logs, link: ExchangeLink) {
    this.#link = link;
    this.#body = new AnswerBody(link.outlet, {
      chunk: (sequence, body) => link.send({ kind: "data", sequence, body }),
      end: () => this.#finish(this.#endFrame("succeeded")),
    });
    this.#body.onDrain = () => {
      this.#hasRoom = true;
      this.#roomAgain?.();
    };
    this.#run(logs.open(tenantId, query, this.#abort.signal)).catch((error: unknown) => this.#fail(LongshoreError.from(error, "Cannot read logs")));
  }

  frame(frame: Frame): void {
    if (frame.kind === "credit") return this.#body.grant(frame.bytes);
    if (frame.kind !== "cancel") throw unexpectedFrame(frame);
    this.#finish(this.#endFrame("cancelled"));
  }

  abort(): void {
    this.#isOver = true;
    clearImmediate(this.#flushing);
    this.#abort.abort();
    this.#body.abandon();
    this.#roomAgain?.();
  }

  brokerDraining(error: LongshoreError): void {
    this.#fail(error);
  }

  async #run(opening: ReturnType<Logs["open"]>): Promise<void> {
    const lines = await opening;
    if (this.#isOver) return;
    this.#link.send({ kind: "answer", head: { complete: false, headers: [["content-type", "application/x-ndjson"]] }, body: nothing });
    for await (const line of lines) {
      if (!(await this.#take(line))) return;
    }
    this.#flush();
    this.#body.end();
  }

  /** Resolves when there is room for more; false when no more is wanted. */
  async #take(line: LogLine): Promise<boolean> {
    if (this.#isOver) return false;
    const bytes = encodeJson(line);
    this.#batch.push(bytes, lineEnd);
    this.#batchBytes += bytes.length + 1;
    if (this.#batchBytes >= batchBytes) this.#flush();
    else this.#flushing ??= setImmediate(() => this.#flush());
    if (!this.#hasRoom) await new Promise<void>((resolve) => (this.#roomAgain = resolve));
    return true;
  }

  #flush(): void {
    clearImmediate(this.#flushing);
    this.#flushing = undefined;
    const bytes = Buffer.concat(this.#batch);
    this.#batch = [];
    this.#batchBytes = 0;
    if (bytes.length > 0) this.#hasRoom = this.#body.write(bytes);
  }

  #endFrame(outcome: "succeeded" | "cancelled"): Frame {
    return { kind: "end", head: { sequenceCount: this.#body.sequenceCount, result: { outcome } } };
  }

  #fail(error: LongshoreError): void {
    this.#finish({ kind: "error", head: error.toShape() });
  }

  #finish(frame: Frame): void {
    if (this.#isOver) return;
    this.abort();
    this.#link.finish(frame);
  }
}

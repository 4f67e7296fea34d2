import type { AnswerEnd, AnswerHead, LongshoreError } from "@longshore/protocol";
import type { AnswerFront, InvocationHandle } from "../request.ts";

/** A caller: keeps what it is told, and takes bytes as they come unless it is `slow`. */
export class RecordingFront implements AnswerFront {
  /** Every call, in order: `head`, `data hello`, `end succeeded` … */
  readonly told: string[] = [];
  handle: InvocationHandle | undefined;
  isSlow = false;
  lastHead: AnswerHead | undefined;
  lastEnd: Omit<AnswerEnd, "sequenceCount"> | undefined;
  error: LongshoreError | undefined;

  complete(head: AnswerHead, body: Uint8Array): void {
    this.lastHead = head;
    this.told.push(`complete ${head.result?.outcome ?? "without a result"} ${Buffer.from(body).toString()}`.trimEnd());
  }

  head(head: AnswerHead): void {
    this.lastHead = head;
    this.told.push("head");
  }

  data(bytes: Uint8Array): void {
    this.told.push(bytes.length > 32 ? `data of ${bytes.length}` : `data ${Buffer.from(bytes).toString()}`);
    if (!this.isSlow) this.handle?.consumed(bytes.length);
  }

  end(end: Omit<AnswerEnd, "sequenceCount">): void {
    this.lastEnd = end;
    this.told.push(`end ${end.result.outcome}`);
  }

  fail(error: LongshoreError): void {
    this.error = error;
    this.told.push(`fail ${error.reason}`);
  }

  drain(): void {
    this.told.push("drain");
  }

  /** The calls that end an answer; one of them, once. */
  get endings(): string[] {
    return this.told.filter((call) => /^(complete|end|fail)/.test(call));
  }
}

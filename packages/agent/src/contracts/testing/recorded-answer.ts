import type { AnswerHead } from "@longshore/protocol";
import type { AnswerSink, ContractEnding } from "../contract.ts";

/** Keeps what a contract answers, lets a test await each step, and throws when a contract breaks the order that AnswerSink demands. */
export class RecordedAnswer implements AnswerSink {
  readonly ended: Promise<ContractEnding>;
  readonly parts: Buffer[] = [];
  readonly logged: Record<"stdout" | "stderr", string> = { stdout: "", stderr: "" };
  began: Pick<AnswerHead, "status" | "headers"> | undefined;
  bodyBytes: number | undefined;
  ending: ContractEnding | undefined;
  drains = 0;
  /** Length of the body so far. */
  byteLength = 0;
  /** Called with each part of the body as it comes. */
  onData: (bytes: Uint8Array) => void = () => undefined;
  #resolveEnded!: (ending: ContractEnding) => void;
  readonly #waiting = new Map<() => boolean, () => void>();

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  /** The body so far. */
  get body(): Buffer {
    return Buffer.concat(this.parts);
  }

  /** Resolves as soon as the check holds, looked at with every event. */
  until(check: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      if (check()) return resolve();
      this.#waiting.set(check, resolve);
    });
  }

  head(head: Pick<AnswerHead, "status" | "headers">, bodyBytes?: number): void {
    if (this.began !== undefined || this.ending !== undefined) throw new Error("A head came second, or after the end");
    this.began = head;
    this.bodyBytes = bodyBytes;
    this.#look();
  }

  data(bytes: Uint8Array): void {
    if (this.began === undefined || this.ending !== undefined) throw new Error("Data came before the head, or after the end");
    this.parts.push(Buffer.from(bytes));
    this.byteLength += bytes.length;
    this.onData(bytes);
    this.#look();
  }

  end(ending: ContractEnding): void {
    if (this.ending !== undefined) throw new Error("The end came twice");
    this.ending = ending;
    this.#resolveEnded(ending);
    this.#look();
  }

  requestDrained(): void {
    this.drains += 1;
    this.#look();
  }

  log(stream: "stdout" | "stderr", bytes: Uint8Array): void {
    if (this.ending !== undefined) throw new Error("A log line came after the end");
    this.logged[stream] += Buffer.from(bytes).toString();
    this.#look();
  }

  #look(): void {
    for (const [check, resolve] of this.#waiting) {
      if (!check()) continue;
      this.#waiting.delete(check);
      resolve();
    }
  }
}

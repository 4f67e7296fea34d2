import { BodyReader, type Frame, LongshoreError, parseInput, requestEndSchema, type RunOrder } from "@longshore/protocol";
import type { AgentExchange, AgentExchangeHandlers } from "../bus/bus.ts";
import type { Clock } from "../clock.ts";
import type { PayloadFile } from "./payload-files.ts";

/** A broker that sends nothing for that long is not there any more. */
const silenceMs = 30_000;

export interface PayloadIntakeOptions {
  readonly order: RunOrder;
  /** Its length, by the order. */
  readonly byteLength: number;
  readonly file: PayloadFile;
  readonly exchange: AgentExchange;
  readonly clock: Pick<Clock, "after">;
  /** All of it is there. */
  readonly whole: () => void;
  /** It will not come, and its invocation is not begun here: the broker that sent it has been told so, if it is there. */
  readonly failed: () => void;
}

/**
 * The payload of an attempt, taken from its broker before anything of the attempt begins.
 *
 * Invariants: P1 it is whole only where the broker said that it ends there, all numbered parts came, and they are as long as the order
 * said. P2 one of `whole` and `failed` is called, once. P3 no more of it is in memory than the broker may send ahead of the disk.
 */
export class PayloadIntake implements AgentExchangeHandlers {
  readonly hasBegun = false;
  readonly #options: PayloadIntakeOptions;
  readonly #reader: BodyReader;
  #byteLength = 0;
  #hasEnded = false;
  #isOver = false;
  #cancelSilence: () => void = () => undefined;

  constructor(options: PayloadIntakeOptions) {
    this.#options = options;
    this.#reader = new BodyReader((bytes) => options.exchange.send({ kind: "credit", bytes }));
    this.#listenOn();
  }

  frame(frame: Frame): void {
    if (this.#isOver) return;
    this.#listenOn();
    try {
      this.#take(frame);
    } catch (error) {
      this.#fail(LongshoreError.from(error, "Cannot take a payload"));
    }
  }

  brokerGone(): void {
    this.#over();
  }

  /** Somebody asked for the end of the invocation. */
  cancel(): void {
    if (this.#isOver) return;
    this.#options.exchange.send({ kind: "answer", head: { complete: true, headers: [], result: { outcome: "cancelled", message: "Cancelled before it began" } }, body: new Uint8Array(0) });
    this.#over();
  }

  #take(frame: Frame): void {
    if (frame.kind === "cancel") return (frame.head as { reason?: unknown } | null)?.reason === "requested" ? this.cancel() : this.#over();
    if (frame.kind === "end") return this.#end(parseInput(requestEndSchema, frame.head, "end of request").sequenceCount);
    if (frame.kind !== "data" || this.#hasEnded) throw new LongshoreError("bad_frame", `Cannot take a frame of kind "${frame.kind}" as a part of a payload`);
    this.#reader.receive(frame.sequence, frame.body.length);
    this.#byteLength += frame.body.length;
    if (this.#byteLength > this.#options.byteLength) throw this.#otherLength();
    this.#write(frame.body);
  }

  #write(bytes: Uint8Array): void {
    this.#options.file.write(bytes).then(
      () => {
        if (!this.#isOver) this.#reader.consumed(bytes.length); // P3
      },
      (error: unknown) => this.#notWritten(error),
    );
  }

  #end(sequenceCount: number): void {
    this.#reader.finish(sequenceCount);
    if (this.#byteLength !== this.#options.byteLength) throw this.#otherLength();
    this.#hasEnded = true; // P1
    this.#options.file.write(new Uint8Array(0)).then(() => this.#over(this.#options.whole), (error: unknown) => this.#notWritten(error));
  }

  #notWritten(cause: unknown): void {
    this.#fail(new LongshoreError("disk_full", "Cannot take a payload: this host's disk does not take it", { phase: "admission", cause }));
  }

  #otherLength(): LongshoreError {
    return new LongshoreError("bad_frame", `Cannot take a payload: its order said that it has ${this.#options.byteLength} bytes, and ${this.#byteLength} came`);
  }

  #listenOn(): void {
    this.#cancelSilence();
    this.#cancelSilence = this.#options.clock.after(silenceMs, () => this.#fail(new LongshoreError("agent_lost", `Cannot take a payload: its broker sent nothing for ${silenceMs / 1000} s`)));
  }

  #fail(error: LongshoreError): void {
    if (this.#isOver) return;
    this.#options.exchange.send({ kind: "error", head: error.at("admission").toShape() });
    this.#over();
  }

  #over(tell = this.#options.failed): void {
    if (this.#isOver) return;
    this.#isOver = true; // P2
    this.#cancelSilence();
    tell();
  }
}

import type { Contract, ContractCall, ContractRun, AnswerSink } from "../../../packages/agent/src/contracts/contract.ts";

/** A function without a program: answers with the body it is sent, at once, or at `/slow?ms=N` after that time, as the tests' web server does. */
export const echoContract: Pick<Contract, "invoke"> = {
  invoke: (_instance, call, answer) => new EchoRun(call, answer),
};

class EchoRun implements ContractRun {
  readonly #answer: AnswerSink;
  readonly #target: string;
  readonly #parts: Uint8Array[];
  #timer: NodeJS.Timeout | undefined;
  #isAborted = false;

  constructor(call: ContractCall, answer: AnswerSink) {
    this.#answer = answer;
    this.#target = call.request.target;
    this.#parts = [call.body];
    if (!call.more) this.endRequest();
  }

  write(bytes: Uint8Array): boolean {
    this.#parts.push(bytes);
    return true;
  }

  endRequest(): void {
    const slowMs = Number(/^\/slow\?ms=(\d+)$/.exec(this.#target)?.[1] ?? 0);
    if (slowMs > 0) this.#timer = setTimeout(() => this.#finish(), slowMs);
    else queueMicrotask(() => this.#finish());
  }

  abort(): void {
    this.#isAborted = true;
    clearTimeout(this.#timer);
  }

  pause(): void {}

  resume(): void {}

  #finish(): void {
    if (this.#isAborted) return;
    const body = Buffer.concat(this.#parts);
    this.#answer.head({ status: 200, headers: [] }, body.length);
    this.#answer.data(body);
    this.#answer.end({ kind: "finished", result: { outcome: "succeeded" }, reusable: true });
  }
}

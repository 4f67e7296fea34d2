import { answerOfPrelude, type UrlAnswer } from "./url-answer.ts";

/** Content type of a streamed answer that begins with its status and headers. */
export const preludeType = "application/vnd.awslambda.http-integration-response";

const separator = Buffer.alloc(8);
const maxPreludeBytes = 256 * 1024;

/** Takes status and headers off the front of a streamed answer: JSON, eight NUL bytes, then the body. */
export class PreludeReader {
  #kept = Buffer.alloc(0);

  /** Undefined while the prelude goes on; throws an Error that says what is wrong with it. */
  push(bytes: Uint8Array): { readonly answer: UrlAnswer; readonly rest: Uint8Array } | undefined {
    const from = Math.max(0, this.#kept.length - separator.length);
    this.#kept = Buffer.concat([this.#kept, bytes]);
    const at = this.#kept.indexOf(separator, from);
    if (at === -1 && this.#kept.length > maxPreludeBytes) throw new Error("the prelude of its result has no end");
    if (at === -1) return undefined;
    return { answer: answerOfPrelude(this.#kept.subarray(0, at)), rest: this.#kept.subarray(at + separator.length) };
  }
}

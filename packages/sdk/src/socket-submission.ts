import { chunkBytes, type Frame, inlineBodyBytes, type InvocationView, LongshoreError, socketAcceptedSchema, type SocketOpen } from "@longshore/protocol";
import { abandoned } from "./outgoing.ts";
import { OutgoingBody } from "./outgoing-body.ts";
import { readDocument } from "./read-document.ts";
import { readError } from "./read-answer.ts";
import type { SocketExchange, SocketLink } from "./socket-link.ts";
import type { SocketKeeper } from "./socket-keeper.ts";
import { silenceMs, type Submission, type SubmitOnce } from "./submission.ts";

const nothing = new Uint8Array(0);
/** Where HTTP passes and a WebSocket does not, nobody waits longer for one … */
const openWithinMs = 2_000;
/** … and none is tried for again so soon. */
const overHttpForMs = 60_000;

/** Submits over the fleet's WebSocket; over HTTP what is too long for that, and where none can be opened, or its broker is older than that. */
export function submitOverSocket(keeper: SocketKeeper, overHttp: SubmitOnce): SubmitOnce {
  let overHttpUntilMs = 0;
  const open = async ({ call }: Submission): Promise<SocketLink | undefined> => {
    if (performance.now() < overHttpUntilMs) return undefined;
    try {
      return await keeper.link(openWithinMs, call.signal);
    } catch (error) {
      if (keeper.isClosed || !(error instanceof LongshoreError) || error.code !== "unavailable") throw error;
      overHttpUntilMs = performance.now() + overHttpForMs;
      return undefined;
    }
  };
  return async (submission) => {
    const { body } = submission.call;
    if (!(body instanceof Uint8Array) || body.length > inlineBodyBytes) return overHttp(submission);
    const link = keeper.current ?? (await open(submission));
    return link?.takes("submit") === true && link.isUsable ? new SocketSubmission(link, submission, body).accepted : overHttp(submission);
  };
}

/** One submission on a socket, which a broker answers with one frame. */
class SocketSubmission implements SocketExchange {
  readonly accepted: Promise<InvocationView>;
  readonly #link: SocketLink;
  readonly #stream: number;
  readonly #signal: AbortSignal | undefined;
  readonly #functionName: string;
  readonly #silence: ReturnType<typeof setTimeout>;
  #settle!: { readonly resolve: (view: InvocationView) => void; readonly reject: (error: Error) => void };
  #request: OutgoingBody | undefined;
  #isOver = false;

  constructor(link: SocketLink, submission: Submission, body: Uint8Array) {
    const { functionName, signal } = submission.call;
    this.#link = link;
    this.#signal = signal;
    this.#functionName = functionName;
    this.accepted = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    const isShort = body.length <= chunkBytes;
    this.#stream = link.open(this, openHead(submission, !isShort), isShort ? body : nothing);
    this.#silence = setTimeout(() => this.#giveUp(new LongshoreError("connection_lost", "Cannot tell whether the invocation was accepted: the broker does not answer")), silenceMs);
    if (!isShort) this.#sendBody(body);
    if (signal?.aborted === true) this.#onAbort();
    else signal?.addEventListener("abort", this.#onAbort);
  }

  frame(frame: Frame): void {
    switch (frame.kind) {
      case "answer": {
        const { view } = readDocument(socketAcceptedSchema, frame.head, "submit");
        this.#over();
        return this.#settle.resolve(view);
      }
      case "credit":
        return this.#request?.grant(frame.bytes);
      case "error":
        return this.fail(readError(frame.head));
      default:
        throw new LongshoreError("bad_frame", `A broker does not send "${frame.kind}" here`);
    }
  }

  fail(error: LongshoreError): void {
    if (this.#isOver) return;
    this.#over();
    this.#settle.reject(error);
  }

  readonly #onAbort = (): void => this.#giveUp(abandoned(this.#functionName, this.#signal));

  #giveUp(error: LongshoreError): void {
    if (this.#isOver) return;
    this.#link.send(this.#stream, { kind: "cancel", head: { reason: "abandoned" } });
    this.fail(error);
  }

  #sendBody(body: Uint8Array): void {
    this.#request = new OutgoingBody((frame) => this.#link.send(this.#stream, frame));
    this.#request.send(body).catch((cause: unknown) => this.#giveUp(LongshoreError.from(cause, `Cannot enqueue for "${this.#functionName}"`)));
  }

  #over(): void {
    this.#isOver = true;
    clearTimeout(this.#silence);
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#request?.abandon();
    this.#link.finish(this.#stream);
  }
}

function openHead({ call, terms }: Submission, more: boolean): SocketOpen {
  const { functionName, invocationId, idempotencyKey, where, timeoutMs, method, path, headers } = call;
  return {
    what: "submit",
    functionName,
    ...(idempotencyKey === undefined ? { invocationId } : { idempotencyKey }),
    ...(where !== undefined && { where }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...terms,
    request: { method, target: path, headers: headers as [string, string][] },
    more,
  };
}

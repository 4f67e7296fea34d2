import type { Socket } from "node:net";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type ExtendedFunction, Extensions, type InvokeEvent, type ShutdownReason } from "./extensions.ts";
import { readBody, sendAccepted, sendOutOfTurn, sendRefusal } from "./replies.ts";

/** One invocation, as far as a session has to do with it. */
export interface Work {
  readonly event: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly invoke: InvokeEvent;
  /** Reads the result that the runtime posts. Called once; so is `finish`, when the session is ready for another invocation. */
  respond(request: IncomingMessage): Promise<{ readonly verdict: "taken" | "too_large" | "broken"; finish(): void }>;
  /** The runtime says that the function failed, with this JSON. */
  fail(body: Uint8Array, errorType: string | undefined): void;
}

/** What a runtime or extension said of a start that failed: `Runtime.ImportModuleError: Cannot find module …`. */
export class InitFailure extends Error {
  override readonly name = "InitFailure";
}

const maxErrorBytes = 256 * 1024;

/**
 * The Runtime API as the runtime of one instance sees it.
 *
 * ```
 *  starting ──next──▶ waiting ──work──▶ working ──response, error──▶ answered ──next──▶ waiting
 *      └──init error──▶ failed
 * ```
 * Invariants: L1 an invocation is delivered once; again only to a runtime whose connection broke off with the delivery unread. L2 an
 * invocation is answered once, by its own id. L3 there is one invocation at a time.
 */
export class RuntimeSession {
  readonly extensions: Extensions;
  /** Called when runtime and extensions wait for what comes next, and nothing is to be done. */
  onRest: () => void = () => undefined;
  readonly #initialised = Promise.withResolvers<void>();
  #poll: ServerResponse | undefined;
  #hasPolled = false;
  #work: Work | undefined;
  #delivery: Delivery | undefined;
  #isAnswering = false;
  #lastAnswered: string | undefined;
  #isHeldBack = false;
  #isEnding = false;

  constructor(extended: ExtendedFunction) {
    this.extensions = new Extensions(extended, () => this.#look());
    this.#initialised.promise.catch(() => undefined); // Whoever starts the instance asks for it.
  }

  /** Resolves once the runtime and every extension have asked for their first event; rejects with an InitFailure. */
  get initialised(): Promise<void> {
    return this.#initialised.promise;
  }

  /** Gives it an invocation, to be delivered with the runtime's next poll; while `isHeldBack` not yet. */
  offer(work: Work, isHeldBack: boolean): void {
    if (this.#work !== undefined) throw new Error("A runtime has one invocation at a time"); // L3
    this.#work = work;
    this.#delivery = undefined;
    this.#isAnswering = false;
    this.#isHeldBack = isHeldBack;
    this.#deliver();
  }

  /** What was held back may go. */
  release(): void {
    this.#isHeldBack = false;
    this.#deliver();
  }

  /** Nobody waits for the invocation any more. True when it had been delivered. */
  forget(work: Work): boolean {
    if (this.#work !== work) return true;
    if (this.#delivery === undefined) this.#work = undefined;
    return this.#delivery !== undefined;
  }

  /** The instance ends: extensions hear of it, and the runtime gets nothing more. */
  shutDown(reason: ShutdownReason, deadlineMs: number): void {
    this.#isEnding = true;
    this.extensions.shutdown(reason, deadlineMs);
  }

  /** The runtime asks for its next invocation; the answer waits until there is one. */
  next(response: ServerResponse): void {
    if (this.#isEnding) return sendOutOfTurn(response, "The instance is ending");
    if (this.#delivery !== undefined && !this.#isAnswering) { // While it still answers, it may ask for the next one already.
      if (!this.#delivery.wasUnread) return sendOutOfTurn(response, "The runtime has an invocation that it has not answered");
      this.#delivery.forget();
      this.#delivery = undefined; // L1
    }
    // The one before it was given up: that its connection is closed may not have been heard yet.
    if (this.#poll !== undefined) sendOutOfTurn(this.#poll, "The runtime has asked for its next invocation again");
    this.#poll = response;
    this.#hasPolled = true;
    response.on("close", () => {
      if (this.#poll === response) this.#poll = undefined;
    });
    this.#deliver();
    this.#look();
  }

  /** The runtime posts a result. */
  async respond(requestId: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const work = this.#takeAnswer(requestId, response);
    if (work === undefined) return;
    const taken = await work.respond(request);
    this.#answered(requestId);
    if (taken.verdict === "taken") sendAccepted(response);
    else if (taken.verdict === "too_large") sendRefusal(response, 413, "RequestEntityTooLarge", "The result is larger than allowed");
    else response.destroy();
    taken.finish();
  }

  /** The runtime posts the function's error. */
  async fail(requestId: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const work = this.#takeAnswer(requestId, response);
    if (work === undefined) return;
    const body = await readBody(request, maxErrorBytes);
    if (body === "broken") {
      this.#isAnswering = false; // It may say so again.
      return;
    }
    const type = request.headers["lambda-runtime-function-error-type"];
    this.#answered(requestId);
    sendAccepted(response);
    work.fail(body === "too_large" ? Buffer.alloc(0) : body, typeof type === "string" ? type : undefined);
  }

  /** The runtime could not begin. */
  async failInit(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request, maxErrorBytes);
    if (this.#hasPolled) return sendOutOfTurn(response, "The runtime has begun already");
    const type = request.headers["lambda-runtime-function-error-type"];
    this.#initialised.reject(new InitFailure(describeError(typeof body === "string" ? Buffer.alloc(0) : body, typeof type === "string" ? type : undefined)));
    sendAccepted(response);
  }

  #deliver(): void {
    const [work, poll] = [this.#work, this.#poll];
    if (work === undefined || poll === undefined || this.#delivery !== undefined || this.#isHeldBack) return;
    this.#poll = undefined;
    this.#delivery = new Delivery(poll);
    poll.writeHead(200, { ...work.headers, "Content-Type": "application/json", "Content-Length": work.event.length });
    poll.end(work.event);
    this.extensions.invoke(work.invoke);
  }

  /** The invocation that this id may answer now; refuses the request where there is none. */
  #takeAnswer(requestId: string, response: ServerResponse): Work | undefined {
    const isCurrent = this.#work?.invoke.requestId === requestId && this.#delivery !== undefined;
    if (isCurrent && !this.#isAnswering) {
      this.#isAnswering = true; // L2
      return this.#work;
    }
    if (isCurrent || requestId === this.#lastAnswered) sendOutOfTurn(response, "The invocation has been answered already");
    else sendRefusal(response, 400, "InvalidRequestID", "The request id is not that of the runtime's invocation");
    return undefined;
  }

  #answered(requestId: string): void {
    this.#lastAnswered = requestId;
    this.#work = undefined;
    this.#delivery?.forget();
    this.#delivery = undefined;
    this.#isAnswering = false;
    this.#look();
  }

  #look(): void {
    const { failure } = this.extensions;
    if (failure !== undefined) this.#initialised.reject(new InitFailure(failure));
    if (this.#hasPolled && this.extensions.haveBegun) this.#initialised.resolve();
    if (this.#poll !== undefined && this.#work === undefined && this.extensions.areAtRest) this.onRest();
  }
}

/**
 * What became of an invocation's way to the runtime. A client that gives a request up closes its connection; when bytes for it are under
 * way or unread then, its system says so by a reset (RFC 1122, 4.2.2.13). So a reset tells that an answer was not read.
 */
class Delivery {
  readonly #socket: Socket;
  #wasUnread: boolean;

  constructor({ socket }: ServerResponse) {
    this.#socket = socket as Socket;
    this.#wasUnread = this.#socket.destroyed;
    this.#socket.once("error", this.#onError);
    this.#socket.prependOnceListener("end", this.#onEnd); // The server's own listener closes it.
  }

  get wasUnread(): boolean {
    return this.#wasUnread;
  }

  /** It was answered. The connection may carry many more. */
  forget(): void {
    this.#socket.off("error", this.#onError);
    this.#socket.off("end", this.#onEnd);
  }

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    this.#wasUnread = isReset(error);
  };

  /**
   * Closed in good order as far as the reader can tell. Where the closing crossed the delivery, the reset came behind it, and only a
   * writer is told of that; a reset that the writing itself brings about comes too late to be taken for it.
   */
  readonly #onEnd = (): void => {
    this.#socket.off("error", this.#onError);
    this.#socket.write("\n", (error) => {
      this.#wasUnread = error instanceof Error && isReset(error);
    });
  };
}

function isReset({ code }: NodeJS.ErrnoException): boolean {
  return code === "ECONNRESET" || code === "EPIPE";
}

/** What a runtime's error says, in one line: `Runtime.ImportModuleError: Cannot find module`. */
export function describeError(body: Uint8Array, headerType: string | undefined): string {
  const { errorType, errorMessage } = readError(body);
  const type = errorType ?? headerType ?? "Error";
  return errorMessage === undefined || errorMessage === "" ? type : `${type}: ${errorMessage}`;
}

function readError(body: Uint8Array): { readonly errorType?: string; readonly errorMessage?: string } {
  try {
    const value = JSON.parse(Buffer.from(body).toString("utf8")) as { errorType?: unknown; errorMessage?: unknown } | null;
    return {
      ...(typeof value?.errorType === "string" && { errorType: value.errorType.slice(0, 200) }),
      ...(typeof value?.errorMessage === "string" && { errorMessage: value.errorMessage.slice(0, 2_000) }),
    };
  } catch {
    return {};
  }
}

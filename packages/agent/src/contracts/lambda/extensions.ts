import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { readBody, sendAccepted, sendJson, sendOutOfTurn, sendRefusal } from "./replies.ts";

/** Why an instance ends, as extensions are told. */
export type ShutdownReason = "spindown" | "timeout" | "failure";

/** What extensions are told of the function that they extend. */
export interface ExtendedFunction {
  readonly functionName: string;
  readonly functionVersion: string;
  readonly handler: string;
}

/** What every extension hears of an invocation. */
export interface InvokeEvent {
  readonly requestId: string;
  readonly deadlineMs: number;
  readonly invokedFunctionArn: string;
  readonly trace: string;
}

interface Extension {
  readonly name: string;
  readonly identifier: string;
  readonly events: ReadonlySet<string>;
  /** Its open request for the next event. */
  poll: ServerResponse | undefined;
  /** What it was not there to hear. */
  readonly waiting: object[];
  hasPolled: boolean;
}

const maxBodyBytes = 64 * 1024;
/** As many as Lambda allows for a function. */
const maxExtensions = 10;

/** The Extensions API as one instance sees it: processes beside the runtime that register and hear of what happens. */
export class Extensions {
  readonly #function: ExtendedFunction;
  readonly #onChange: () => void;
  readonly #byIdentifier = new Map<string, Extension>();
  #failure: string | undefined;

  /** `onChange` is called when one asked for its next event, or failed. */
  constructor(extended: ExtendedFunction, onChange: () => void) {
    this.#function = extended;
    this.#onChange = onChange;
  }

  /** Each of them waits for its next event. */
  get areAtRest(): boolean {
    return [...this.#byIdentifier.values()].every(({ poll }) => poll !== undefined);
  }

  /** Each of them has begun. */
  get haveBegun(): boolean {
    return [...this.#byIdentifier.values()].every(({ hasPolled }) => hasPolled);
  }

  /** What one of them gave up with. */
  get failure(): string | undefined {
    return this.#failure;
  }

  async register(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = request.headers["lambda-extension-name"];
    const events = readEvents(await readBody(request, maxBodyBytes));
    if (typeof name !== "string" || name === "") return sendRefusal(response, 400, "Extension.InvalidExtensionName", "Lambda-Extension-Name is missing");
    if (events === undefined) return sendRefusal(response, 400, "InvalidEventType", "events must be a list of INVOKE and SHUTDOWN");
    if (this.#byIdentifier.size >= maxExtensions) return sendRefusal(response, 403, "Extension.TooManyExtensions", `At most ${maxExtensions} extensions`);
    const identifier = randomUUID();
    this.#byIdentifier.set(identifier, { name, identifier, events: new Set(events), poll: undefined, waiting: [], hasPolled: false });
    sendJson(response, 200, this.#function, { "Lambda-Extension-Identifier": identifier });
  }

  next(request: IncomingMessage, response: ServerResponse): void {
    const extension = this.#of(request, response);
    if (extension === undefined) return;
    if (extension.poll !== undefined) sendOutOfTurn(extension.poll, "The extension has asked for its next event again");
    extension.poll = response;
    extension.hasPolled = true;
    response.on("close", () => {
      if (extension.poll === response) extension.poll = undefined;
    });
    this.#deliver(extension);
    this.#onChange();
  }

  /** It could not begin, or gives up. */
  async fails(request: IncomingMessage, response: ServerResponse, phase: "init" | "exit"): Promise<void> {
    const extension = this.#of(request, response);
    if (extension === undefined) return;
    await readBody(request, maxBodyBytes);
    const type = String(request.headers["lambda-extension-function-error-type"] ?? `Extension.${phase === "init" ? "InitError" : "ExitError"}`);
    this.#failure = `${type}: extension "${extension.name}" gave up`;
    sendAccepted(response);
    this.#onChange();
  }

  invoke({ requestId, deadlineMs, invokedFunctionArn, trace }: InvokeEvent): void {
    this.#tell("INVOKE", { eventType: "INVOKE", deadlineMs, requestId, invokedFunctionArn, tracing: { type: "X-Amzn-Trace-Id", value: trace } });
  }

  shutdown(shutdownReason: ShutdownReason, deadlineMs: number): void {
    this.#tell("SHUTDOWN", { eventType: "SHUTDOWN", shutdownReason, deadlineMs });
  }

  #tell(event: "INVOKE" | "SHUTDOWN", what: object): void {
    for (const extension of this.#byIdentifier.values()) {
      if (!extension.events.has(event)) continue;
      extension.waiting.push(what);
      this.#deliver(extension);
    }
  }

  #deliver(extension: Extension): void {
    const { poll } = extension;
    const event = poll === undefined ? undefined : extension.waiting.shift();
    if (poll === undefined || event === undefined) return;
    extension.poll = undefined;
    sendJson(poll, 200, event, { "Lambda-Extension-Event-Identifier": randomUUID() });
  }

  #of(request: IncomingMessage, response: ServerResponse): Extension | undefined {
    const extension = this.#byIdentifier.get(String(request.headers["lambda-extension-identifier"] ?? ""));
    if (extension === undefined) sendRefusal(response, 403, "Extension.UnknownExtensionIdentifier", "Lambda-Extension-Identifier names no extension of this instance");
    return extension;
  }
}

function readEvents(body: Buffer | "too_large" | "broken"): string[] | undefined {
  if (typeof body === "string") return undefined;
  try {
    const { events = [] } = JSON.parse(body.toString("utf8") || "{}") as { events?: unknown };
    return Array.isArray(events) && events.every((event) => event === "INVOKE" || event === "SHUTDOWN") ? (events as string[]) : undefined;
  } catch {
    return undefined;
  }
}

import { createInvocationId, type FunctionView, type InvocationId, LongshoreError, type TenantId } from "@longshore/protocol";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import { type CallerRules, identifyCaller } from "../http/caller.ts";
import type { BrokerParts } from "../http/handler.ts";
import type { HttpLimits } from "../http/limits.ts";
import type { Target } from "../http/router.ts";
import type { Invoker } from "../invocation/request.ts";
import type { Caller } from "../socket/caller.ts";
import { sendAwsError, sendAwsJson } from "./answer.ts";
import { AwsError } from "./aws-error.ts";
import { type Call, invokeCollected, invokeStreamed } from "./call.ts";
import { configurationOf, descriptionOf } from "./configuration.ts";
import { awsErrorOf } from "./error-of.ts";
import { functionNotFound, type FunctionReference, readFunctionReference } from "./function-reference.ts";
import { readInvokeOptions } from "./invoke-options.ts";
import { listFunctions } from "./list-functions.ts";
import { readEvent } from "./read-event.ts";
import { matchAwsOperation } from "./route.ts";
import type { SignatureVerifier } from "./signature-verifier.ts";

export interface AwsDoorOptions {
  readonly parts: Pick<BrokerParts, "functions" | "logs" | "queue">;
  readonly invoker: Invoker;
  readonly callers: CallerRules;
  readonly signatures: SignatureVerifier;
  readonly limits: Pick<HttpLimits, "bodyIdleMs">;
  readonly log: Logger;
}

/**
 * AWS's Lambda API, as far as clients of functions use it: invoke, invoke with a streamed answer, read and list. Functions of every
 * contract are invoked alike: the event is the body of a POST.
 */
export class AwsDoor {
  readonly #options: AwsDoorOptions;

  constructor(options: AwsDoorOptions) {
    this.#options = options;
  }

  /** Answers one request, whatever comes of it. */
  async take(request: IncomingMessage, response: ServerResponse, target: Target): Promise<void> {
    const invocationId = createInvocationId();
    response.setHeader("x-amzn-RequestId", invocationId);
    try {
      await this.#answer(request, response, target, invocationId);
    } catch (thrown) {
      if (!(thrown instanceof LongshoreError || thrown instanceof AwsError)) this.#options.log.error({ err: thrown, method: request.method }, "request failed unexpectedly");
      if (response.headersSent) response.destroy(); // A part must not pass for the whole.
      else sendAwsError(response, awsErrorOf(thrown));
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse, { path, query }: Target, invocationId: InvocationId): Promise<void> {
    const asked = matchAwsOperation(request.method ?? "GET", path);
    const parameters = new URLSearchParams(query);
    if (request.headers.expect !== undefined) response.writeContinue();
    const event = await readEvent(request, this.#options.limits.bodyIdleMs);
    const { tenantId } = await this.#identify(request, event);
    const { functions } = this.#options.parts;
    if (asked.operation === "listFunctions") return sendAwsJson(response, listFunctions(functions.list(tenantId), parameters));
    const reference = readFunctionReference(asked.function, parameters.get("Qualifier"));
    const view = this.#find(tenantId, reference);
    if (asked.operation === "getFunction") return sendAwsJson(response, descriptionOf(view, reference.qualifier));
    if (asked.operation === "getConfiguration") return sendAwsJson(response, configurationOf(view, reference.qualifier));
    const isStreamed = asked.operation === "invokeStream";
    const call = this.#read(request, response, { tenantId, reference, view, event, invocationId, isStreamed });
    if (call === undefined) response.writeHead(204).end();
    else if (call.options.isEvent) await this.#accept(response, call);
    else await (isStreamed ? invokeStreamed : invokeCollected)(this.#options, response, call);
  }

  /** InvocationType Event: 202 once it is on disk. */
  async #accept(response: ServerResponse, { tenantId, view, event, invocationId, options }: Call): Promise<void> {
    await this.#options.parts.queue.accept({ invocationId, tenantId, functionName: view.name, where: options.where, timeoutMs: undefined, request: { method: "POST", target: "/", headers: options.headers }, body: event });
    response.writeHead(202, { "Content-Length": 0 }).end();
  }

  /** By signature, else as everywhere: by one of our keys, or as the machine's own user. */
  async #identify(request: IncomingMessage, body: Uint8Array): Promise<Caller> {
    const { signatures, callers } = this.#options;
    const isOurs = request.headers.authorization === undefined || /^Bearer\s/i.test(request.headers.authorization);
    if (isOurs && !(request.url ?? "").includes("X-Amz-Signature=")) return identifyCaller(request, callers);
    return signatures.verify({ method: request.method ?? "GET", target: request.url ?? "/", headers: request.headers, rawHeaders: request.rawHeaders, body });
  }

  #find(tenantId: TenantId, reference: FunctionReference): FunctionView {
    const { functions } = this.#options.parts;
    const { name, qualifier } = reference;
    const current = inAwsWords(() => functions.view(tenantId, name), reference);
    if (qualifier === undefined || qualifier === "$LATEST" || isRevision(current, qualifier)) return current;
    const revision = functions.revisions(tenantId, name).find((view) => isRevision(view, qualifier));
    if (revision === undefined) throw functionNotFound(reference);
    return revision;
  }

  /** The invocation that a request means; undefined when it asked only whether it could be. */
  #read(request: IncomingMessage, response: ServerResponse, given: Pick<Call, "tenantId" | "view" | "event" | "invocationId"> & { readonly reference: FunctionReference; readonly isStreamed: boolean }): Call | undefined {
    const { reference, view, event, isStreamed, ...rest } = given;
    const options = readInvokeOptions(request.headers);
    const current = this.#options.parts.functions.view(given.tenantId, view.name);
    if (current.revision !== view.revision) {
      throw new AwsError("InvalidParameterValueException", 400, `Revision ${view.revision} of ${view.name}, qualifier ${reference.qualifier ?? ""}, takes no invocations: ${current.revision} is the current one`);
    }
    if (view.contract === "lambda") checkJson(event);
    if (isStreamed && options.isEvent) throw new AwsError("ValidationException", 400, "Value 'Event' at 'invocationType' failed to satisfy constraint: a streamed answer is waited for");
    if (options.isDryRun) return undefined;
    const leaving = new AbortController();
    response.on("close", () => leaving.abort());
    return { ...rest, view, event, options, signal: leaving.signal };
  }
}

function isRevision(view: FunctionView, qualifier: string): boolean {
  return qualifier === String(view.revision) || qualifier === view.revisionId;
}

/** AWS's clients know a function that is not there by its ARN. */
function inAwsWords<T>(find: () => T, reference: FunctionReference): T {
  try {
    return find();
  } catch (error) {
    throw error instanceof LongshoreError && error.reason === "function_not_found" ? functionNotFound(reference) : error;
  }
}

function checkJson(event: Uint8Array): void {
  if (event.length === 0) return; // It stands for `{}`.
  try {
    JSON.parse(Buffer.from(event).toString("utf8"));
  } catch (error) {
    throw new AwsError("InvalidRequestContentException", 400, `Could not parse request body into json: ${(error as Error).message.slice(0, 200)}`);
  }
}

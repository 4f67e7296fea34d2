import { type InvocationResult, LongshoreError } from "@longshore/protocol";
import type { z } from "zod";
import type { Answer, CallBody, CallOptions } from "./call.ts";
import { InvocationError } from "./error.ts";

/** What `invoke` sends: bytes in any form as they are, a string as text, every other value as JSON. */
export type InvokeBody = CallBody | null | boolean | number | object;

type Call = (functionName: string, body: CallBody, options: CallOptions) => Promise<Answer>;

/**
 * Calls a function and gives its answer as a value: parsed where it is JSON, a string where it is text, else bytes. Whatever is no
 * success (an HTTP status of 400 and more included) is thrown, as an InvocationError.
 */
export async function invoke(call: Call, functionName: string, body: InvokeBody, options: CallOptions): Promise<unknown> {
  const [bytes, contentType] = encode(body);
  const headers = contentType === undefined || hasContentType(options) ? options.headers : [...(options.headers ?? []), ["content-type", contentType] as const];
  const answer = await call(functionName, bytes, { ...options, headers });
  const answered = await answer.bytes().catch((error: unknown) => error as Error);
  const result = await answer.result;
  if (result.outcome !== "succeeded" || (answer.status ?? 200) >= 400) throw failure(functionName, answer, result, answered);
  if (answered instanceof Error) throw answered;
  return decode(functionName, answer, answered);
}

function encode(body: InvokeBody): [body: CallBody, contentType: string | undefined] {
  if (body === undefined) return [undefined, undefined];
  if (typeof body === "string") return [body, "text/plain;charset=UTF-8"];
  if (body instanceof Uint8Array || body instanceof ArrayBuffer || body instanceof ReadableStream) return [body, undefined];
  if (body instanceof Blob) return [body, body.type === "" ? undefined : body.type];
  return [JSON.stringify(body), "application/json"];
}

const contentTypeOf = ({ headers }: { readonly headers?: CallOptions["headers"] }) => headers?.find(([name]) => name.toLowerCase() === "content-type")?.[1];
const hasContentType = (options: CallOptions) => contentTypeOf(options) !== undefined;

function decode(functionName: string, answer: Answer, bytes: Uint8Array): unknown {
  const type = (contentTypeOf(answer) ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (type === "application/json" || type.endsWith("+json")) {
    try {
      return JSON.parse(new TextDecoder().decode(bytes));
    } catch (cause) {
      throw new LongshoreError("bad_answer", `Cannot read the answer of "${functionName}": it says that it is JSON, and is not`, { phase: "execution", cause });
    }
  }
  return type.startsWith("text/") ? new TextDecoder().decode(bytes) : bytes;
}

function failure(functionName: string, answer: Answer, result: InvocationResult, answered: Uint8Array | Error): InvocationError {
  const { invocationId, status, siteId, agentId } = answer;
  return new InvocationError({ functionName, invocationId, result, status, siteId, agentId, body: answered instanceof Error ? new Uint8Array(0) : answered });
}

/** What a typed function takes and gives. */
export interface FunctionSchemas<Input extends z.ZodType, Output extends z.ZodType> {
  readonly input: Input;
  readonly output: Output;
}

/** Checks what is sent; throws `bad_schema` naming the field, before anything is sent. */
export function checkInput<Input extends z.ZodType>(functionName: string, schema: Input, value: unknown): z.output<Input> {
  return checked(schema, value, (field, what, cause) => new LongshoreError("bad_schema", `Cannot call "${functionName}": input${field}: ${what}`, { field: `input${field}`, cause }));
}

/** Checks what came back; throws `bad_answer` naming the field. */
export function checkOutput<Output extends z.ZodType>(functionName: string, schema: Output, value: unknown): z.output<Output> {
  return checked(schema, value, (field, what, cause) => new LongshoreError("bad_answer", `Cannot use the answer of "${functionName}": output${field}: ${what}`, { phase: "execution", field: `output${field}`, cause }));
}

function checked<Schema extends z.ZodType>(schema: Schema, value: unknown, fault: (field: string, what: string, cause: unknown) => LongshoreError): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = (issue?.path ?? []).map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  throw fault(field, issue?.message ?? "is invalid", parsed.error);
}

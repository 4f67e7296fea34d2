import { type HeaderList, LongshoreError } from "@longshore/protocol";
import type { z } from "zod";
import type { Answer, CallBody, CallOptions } from "./call.ts";
import { WholeAnswer } from "./answer.ts";
import { InvocationError } from "./error.ts";

/** What `invoke` sends: bytes in any form as they are, a string as text, every other value as JSON. */
export type InvokeBody = CallBody | null | boolean | number | object;

type Call = (functionName: string, body: CallBody, options: CallOptions) => Promise<Answer>;

/**
 * Calls a function and gives its answer as a value: parsed where it is JSON, a string where it is text, else bytes. Whatever is no
 * success (an HTTP status of 400 and more included) is thrown, as an InvocationError.
 */
export async function invoke(call: Call, functionName: string, body: InvokeBody, options: CallOptions): Promise<unknown> {
  const [bytes, headers] = encodeBody(functionName, body, options.headers);
  const answer = await call(functionName, bytes, { ...options, headers });
  const answered = await readBody(answer);
  const result = await answer.result;
  if (result.outcome !== "succeeded" || (answer.status ?? 200) >= 400) {
    const { invocationId, status, siteId, agentId } = answer;
    throw new InvocationError({ functionName, invocationId, result, status, siteId, agentId, body: answered.bytes });
  }
  if (answered.brokeOff !== undefined) throw answered.brokeOff.error;
  return decodeBody(functionName, answer, answered.bytes);
}

/** All of an answer's body, or as much as came. */
async function readBody(answer: Answer): Promise<{ readonly bytes: Uint8Array; readonly brokeOff?: { readonly error: unknown } }> {
  if (answer instanceof WholeAnswer) return { bytes: await answer.bytes() };
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const reader = answer.body.getReader();
  let brokeOff: { readonly error: unknown } | undefined;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) parts.push(next.value as Uint8Array<ArrayBuffer>);
  } catch (error) {
    brokeOff = { error };
  }
  const bytes = parts.length === 1 && parts[0] !== undefined ? parts[0] : new Uint8Array(await new Blob(parts).arrayBuffer());
  return { bytes, ...(brokeOff !== undefined && { brokeOff }) };
}

/** What is sent for a value, with its content type among the headers, unless they name one. Throws `bad_schema`. */
export function encodeBody(functionName: string, value: InvokeBody, headers: CallOptions["headers"] = []): [body: CallBody, headers: HeaderList] {
  const [bytes, contentType] = encode(functionName, value);
  return [bytes, contentType === undefined || contentTypeOf({ headers }) !== undefined ? headers : [...headers, ["content-type", contentType]]];
}

function encode(functionName: string, body: InvokeBody): [body: CallBody, contentType: string | undefined] {
  if (body === undefined) return [undefined, undefined];
  if (typeof body === "string") return [body, "text/plain;charset=UTF-8"];
  if (body instanceof ArrayBuffer || body instanceof ReadableStream) return [body, undefined];
  if (ArrayBuffer.isView(body)) return [new Uint8Array(body.buffer, body.byteOffset, body.byteLength), undefined];
  if (body instanceof Blob) return [body, body.type === "" ? undefined : body.type];
  return [toJson(functionName, body), "application/json"];
}

function toJson(functionName: string, value: unknown): string {
  let cause: unknown;
  try {
    const json = JSON.stringify(value) as string | undefined; // undefined for a function or a symbol
    if (json !== undefined) return json;
  } catch (error) {
    cause = error;
  }
  throw new LongshoreError("bad_schema", `Cannot call "${functionName}": its body cannot be written as JSON`, { field: "body", cause });
}

const contentTypeOf = ({ headers }: { readonly headers?: CallOptions["headers"] }) => headers?.find(([name]) => name.toLowerCase() === "content-type")?.[1];

/** An answer's value, by its content type; throws `bad_answer`. */
export function decodeBody(functionName: string, answer: Pick<Answer, "headers">, bytes: Uint8Array): unknown {
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

/** What a typed function takes and gives. */
export interface FunctionSchemas<Input extends z.ZodType, Output extends z.ZodType> {
  readonly input: Input;
  readonly output: Output;
}

/** Checks what is sent; throws `bad_schema` naming the field, before anything is sent. */
export function checkInput<Input extends z.ZodType>(functionName: string, schema: Input, value: unknown): Promise<z.output<Input>> {
  return checked(schema, value, (field, what, cause) => new LongshoreError("bad_schema", `Cannot call "${functionName}": input${field}: ${what}`, { field: `input${field}`, cause }));
}

/** Checks what came back; throws `bad_answer` naming the field. */
export function checkOutput<Output extends z.ZodType>(functionName: string, schema: Output, value: unknown): Promise<z.output<Output>> {
  return checked(schema, value, (field, what, cause) => new LongshoreError("bad_answer", `Cannot use the answer of "${functionName}": output${field}: ${what}`, { phase: "execution", field: `output${field}`, cause }));
}

async function checked<Schema extends z.ZodType>(schema: Schema, value: unknown, fault: (field: string, what: string, cause: unknown) => LongshoreError): Promise<z.output<Schema>> {
  const parsed = await schema.safeParseAsync(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = (issue?.path ?? []).map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  throw fault(field, issue?.message ?? "is invalid", parsed.error);
}

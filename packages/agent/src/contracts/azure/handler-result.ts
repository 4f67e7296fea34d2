import { isHopByHop, isReserved } from "@longshore/protocol";
import { z } from "zod";
import { fieldNamePattern, forbiddenInFieldValue } from "../http/header-field.ts";

/** An HTTP answer that a handler described. */
export interface DescribedAnswer {
  readonly status: number;
  readonly headers: [name: string, value: string][];
  readonly body: Uint8Array;
}

/** What a handler answered to an envelope. */
export interface HandlerResult {
  readonly logs: readonly string[];
  readonly answer: DescribedAnswer;
  /** Outputs to bindings that nobody here serves. */
  readonly undelivered: readonly string[];
}

type Fields = Record<string, unknown>;

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const descriptionSchema = z.object({
  status: z.coerce.number().int().min(200).max(599),
  headers: z.record(z.string().regex(fieldNamePattern, "must be a header's name"), z.union([scalar, z.array(scalar)])).nullish(),
});
const resultFields = ["outputs", "logs", "returnvalue"];

/**
 * Reads a handler's JSON of `Outputs`, `Logs` and `ReturnValue` (Microsoft's "Azure Functions custom handlers", response payload). The
 * answer to an HTTP request is `Outputs.res`, or the output that has a `statusCode`, else `ReturnValue`; the answer to any other trigger
 * is `ReturnValue`, else `Outputs` themselves. Throws an Error that says what is wrong with it.
 */
export function readHandlerResult(bytes: Uint8Array, isHttp: boolean): HandlerResult {
  const result = parseResult(bytes);
  const outputs = objectOrNothing(fieldOf(result, "outputs"), "Outputs");
  const logs = fieldOf(result, "logs") ?? [];
  if (!Array.isArray(logs)) throw new Error("Logs is no list");
  const returnValue = fieldOf(result, "returnvalue") ?? undefined;
  const { answer, served } = isHttp ? httpAnswer(outputs, returnValue) : triggerAnswer(outputs, returnValue);
  const undelivered = Object.keys(outputs).filter((name) => !served.includes(name) && outputs[name] !== null);
  return { logs: logs.map((line) => (typeof line === "string" ? line : JSON.stringify(line))), answer, undelivered };
}

function parseResult(bytes: Uint8Array): Fields {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    throw new Error("its answer is not JSON");
  }
  if (!isObject(value)) throw new Error("its answer is no JSON object");
  if (Object.keys(value).length > 0 && !Object.keys(value).some((name) => resultFields.includes(name.toLowerCase()))) throw new Error("its answer has none of Outputs, Logs and ReturnValue");
  return value;
}

interface Served {
  readonly answer: DescribedAnswer;
  /** The outputs that went into it. */
  readonly served: readonly string[];
}

function httpAnswer(outputs: Fields, returnValue: unknown): Served {
  const hasUsualName = outputs["res"] !== undefined && outputs["res"] !== null;
  const name = hasUsualName ? "res" : Object.keys(outputs).find((each) => statusOf(outputs[each]) !== undefined);
  if (name !== undefined) return { answer: describe(objectOrNothing(outputs[name], `Outputs.${name}`), `Outputs.${name}`), served: [name] };
  const isDescription = isObject(returnValue) && statusOf(returnValue) !== undefined;
  return { answer: isDescription ? describe(returnValue, "ReturnValue") : answerOf(returnValue), served: [] };
}

function triggerAnswer(outputs: Fields, returnValue: unknown): Served {
  if (returnValue !== undefined) return { answer: answerOf(returnValue), served: [] };
  const served = Object.keys(outputs);
  return { answer: answerOf(served.length > 0 ? outputs : undefined), served };
}

function describe(value: Fields, place: string): DescribedAnswer {
  const checked = descriptionSchema.safeParse({ status: statusOf(value) ?? 200, headers: fieldOf(value, "headers") });
  if (!checked.success) throw new Error(`${place}.${checked.error.issues[0]?.path.join(".") ?? ""}: ${checked.error.issues[0]?.message ?? "is invalid"}`);
  const { status, headers } = checked.data;
  const content = contentOf(fieldOf(value, "body"));
  const fields = Object.entries(headers ?? {}).flatMap(([name, given]) => [given].flat().map((each): [string, string] => [name, fieldValue(name, String(each))]));
  const kept = fields.filter(([name]) => !isOurs(name.toLowerCase()));
  const isTyped = kept.some(([name]) => name.toLowerCase() === "content-type");
  return { status, headers: content.type === undefined || isTyped ? kept : [["content-type", content.type], ...kept], body: content.body };
}

function answerOf(value: unknown): DescribedAnswer {
  const { body, type } = contentOf(value);
  return { status: type === undefined ? 204 : 200, headers: type === undefined ? [] : [["content-type", type]], body };
}

/** Text as it is, anything else as JSON; no type where there is nothing. */
function contentOf(value: unknown): { readonly body: Uint8Array; readonly type: string | undefined } {
  if (value === undefined || value === null) return { body: new Uint8Array(0), type: undefined };
  if (typeof value === "string") return { body: Buffer.from(value), type: "text/plain; charset=utf-8" };
  return { body: Buffer.from(JSON.stringify(value)), type: "application/json; charset=utf-8" };
}

/** Fields that concern a connection, or that the function has no say in. */
function isOurs(lowerCaseName: string): boolean {
  return lowerCaseName === "content-length" || isHopByHop(lowerCaseName) || isReserved(lowerCaseName);
}

/** A value as it travels, one character a byte; a line break in it would begin another field. */
function fieldValue(name: string, value: string): string {
  const bytes = Buffer.from(value, "utf8").toString("latin1");
  if (forbiddenInFieldValue.test(bytes)) throw new Error(`header ${name} has a control character`);
  return bytes;
}

function statusOf(value: unknown): unknown {
  return isObject(value) ? (fieldOf(value, "statuscode") ?? fieldOf(value, "status")) : undefined;
}

/** The Functions host does not mind the case of names. */
function fieldOf(object: Fields, lowerCaseName: string): unknown {
  return Object.entries(object).find(([name]) => name.toLowerCase() === lowerCaseName)?.[1];
}

function objectOrNothing(value: unknown, place: string): Fields {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw new Error(`${place} is no JSON object`);
  return value;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

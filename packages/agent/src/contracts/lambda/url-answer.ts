import { z } from "zod";

/** An HTTP answer that a function described. */
export interface UrlAnswer {
  readonly status: number;
  readonly headers: [name: string, value: string][];
}

/** Part by which a function describes an HTTP answer. */
const metaSchema = z.object({
  statusCode: z.coerce.number().int().min(100).max(599),
  headers: z.record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/), z.union([z.string(), z.number(), z.boolean()])).nullish(),
  cookies: z.array(z.string()).nullish(),
});
const answerSchema = metaSchema.extend({ body: z.string().nullish(), isBase64Encoded: z.boolean().nullish() });

/**
 * A function's result as an HTTP answer, payload format 2.0: an object with a `statusCode` describes one, any other JSON is the body of
 * a 200. Throws an Error that says what is wrong with it.
 */
export function answerOfResult(bytes: Uint8Array): UrlAnswer & { readonly body: Uint8Array } {
  const value = parseJson(bytes, "its result");
  if (typeof value !== "object" || value === null || !("statusCode" in value)) return { status: 200, headers: [["content-type", "application/json"]], body: bytes };
  const answer = check(answerSchema, value);
  const body = Buffer.from(answer.body ?? "", answer.isBase64Encoded === true ? "base64" : "utf8");
  return { ...describe(answer), body };
}

/** The JSON that stands in front of a streamed answer. Throws an Error that says what is wrong with it. */
export function answerOfPrelude(bytes: Uint8Array): UrlAnswer {
  const value = parseJson(bytes, "the prelude of its result");
  return describe(check(metaSchema, typeof value === "object" && value !== null ? { statusCode: 200, ...value } : value));
}

function describe({ statusCode, headers, cookies }: z.output<typeof metaSchema>): UrlAnswer {
  const fields = Object.entries(headers ?? {}).map(([name, value]): [string, string] => [name, oneLine(String(value))]);
  const hasType = fields.some(([name]) => name.toLowerCase() === "content-type");
  return { status: statusCode, headers: [...(hasType ? [] : [["content-type", "application/json"] as [string, string]]), ...fields, ...(cookies ?? []).map((cookie): [string, string] => ["set-cookie", oneLine(cookie)])] };
}

/** A line break in a value would begin another field. */
function oneLine(value: string): string {
  if (/[\r\n\0]/.test(value)) throw new Error("a header of its result has a line break");
  return value;
}

function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8")) as unknown;
  } catch {
    throw new Error(`${what} is not JSON`);
  }
}

function check<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  throw new Error(`its result is not an HTTP answer: ${issue?.path.join(".") ?? ""} ${issue?.message ?? "is invalid"}`.trim());
}

import { isUtf8 } from "node:buffer";
import type { HeaderList, Revision } from "@longshore/protocol";
import type { ContractCall } from "../contract.ts";

/**
 * An HTTP request as the event of a function URL, payload format 2.0 (AWS Lambda's developer guide, "Invoking Lambda function URLs").
 * `nowMs` is when the request came.
 */
export function eventOfRequest(call: ContractCall, body: Uint8Array, revision: Revision, nowMs: number): Buffer {
  const { method, target, headers } = call.request;
  const [rawPath, rawQueryString] = splitTarget(target);
  const fields = joined(headers.filter(([name]) => name.toLowerCase() !== "cookie"));
  const cookies = headers.filter(([name]) => name.toLowerCase() === "cookie").flatMap(([, value]) => value.split(/;\s*/)).filter((cookie) => cookie !== "");
  const query = joined([...new URLSearchParams(rawQueryString)], (name) => name);
  const event = {
    version: "2.0",
    routeKey: "$default",
    rawPath,
    rawQueryString,
    ...(cookies.length > 0 && { cookies }),
    headers: fields,
    ...(Object.keys(query).length > 0 && { queryStringParameters: query }),
    requestContext: {
      accountId: "anonymous",
      apiId: revision.functionName,
      domainName: fields["host"] ?? "",
      domainPrefix: revision.functionName,
      http: { method, path: rawPath, protocol: "HTTP/1.1", sourceIp: fields["x-forwarded-for"]?.split(",")[0]?.trim() ?? "", userAgent: fields["user-agent"] ?? "" },
      requestId: call.invocationId,
      routeKey: "$default",
      stage: "$default",
      time: commonLogTime(nowMs),
      timeEpoch: Math.round(nowMs),
    },
    ...bodyFields(body, fields),
  };
  return Buffer.from(JSON.stringify(event));
}

function splitTarget(target: string): [path: string, query: string] {
  const question = target.indexOf("?");
  return question === -1 ? [target, ""] : [target.slice(0, question), target.slice(question + 1)];
}

/** Names once, their values joined by commas. A map without a prototype: names are the caller's. */
function joined(pairs: HeaderList, nameOf: (name: string) => string = (name) => name.toLowerCase()): Record<string, string> {
  const fields = Object.create(null) as Record<string, string>;
  for (const [name, value] of pairs) {
    const key = nameOf(name);
    const before = fields[key];
    fields[key] = before === undefined ? value : `${before},${value}`;
  }
  return fields;
}

function bodyFields(body: Uint8Array, fields: Record<string, string>): { readonly body?: string; readonly isBase64Encoded: boolean } {
  if (body.length === 0) return { isBase64Encoded: false };
  if (isTextType(fields["content-type"] ?? "") && isUtf8(body)) return { body: Buffer.from(body).toString("utf8"), isBase64Encoded: false };
  return { body: Buffer.from(body).toString("base64"), isBase64Encoded: true };
}

/** Types whose bodies travel as text; every other one in base64. */
function isTextType(contentType: string): boolean {
  return /^(text\/|application\/(json|javascript|xml)\b|application\/[\w.-]+\+(json|xml)\b)/i.test(contentType);
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `12/Mar/2020:19:03:58 +0000` */
function commonLogTime(ms: number): string {
  const at = new Date(ms);
  const two = (value: number) => String(value).padStart(2, "0");
  const time = [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()].map(two).join(":");
  return `${two(at.getUTCDate())}/${months[at.getUTCMonth()] ?? ""}/${at.getUTCFullYear()}:${time} +0000`;
}

import { createHash, createHmac } from "node:crypto";
import { splitTarget } from "../http/router.ts";
import { AwsError } from "./aws-error.ts";
import type { SignedRequest } from "./signature-verifier.ts";

/** A signature as its header gives it. */
export interface Authorization {
  readonly accessKeyId: string;
  readonly scope: { readonly date: string; readonly region: string; readonly service: string };
  /** Lower case, in order. */
  readonly signedHeaders: readonly string[];
  /** 64 hexadecimal digits. */
  readonly signature: string;
  /** `20260102T030405Z`, of the header `X-Amz-Date`. */
  readonly date: string;
}

const algorithm = "AWS4-HMAC-SHA256";
const pattern = /^AWS4-HMAC-SHA256 +Credential=([^\s/,]{1,128})\/(\d{8})\/([\w-]{1,64})\/([\w-]{1,64})\/aws4_request, ?SignedHeaders=([\w;-]{1,4096}), ?Signature=([0-9a-f]{64})$/;

/** Reads an `Authorization` header; throws an AwsError for one that is not such a signature. */
export function readAuthorization(header: string, date: string): Authorization {
  const [, accessKeyId, day, region, service, signedHeaders, signature] = pattern.exec(header) ?? [];
  if (accessKeyId === undefined || day === undefined || region === undefined || service === undefined || signedHeaders === undefined || signature === undefined) {
    throw new AwsError("IncompleteSignatureException", 403, `Authorization header must be '${algorithm} Credential=<key>/<date>/<region>/lambda/aws4_request, SignedHeaders=<names>, Signature=<hex>'.`);
  }
  return { accessKeyId, scope: { date: day, region, service }, signedHeaders: signedHeaders.split(";"), signature, date };
}

/** What is signed, in AWS's canonical form: the path as it was sent, encoded once more; the query in order; the signed headers. */
export function canonicalRequest({ method, target, rawHeaders }: Pick<SignedRequest, "method" | "target" | "rawHeaders">, signedHeaders: readonly string[], payloadHash: string): string {
  const { path, query } = splitTarget(target);
  const headers = signedHeaders.map((name) => `${name}:${valuesOf(rawHeaders, name).map(folded).join(",")}\n`);
  return [method, canonicalPath(path), canonicalQuery(query), headers.join(""), signedHeaders.join(";"), payloadHash].join("\n");
}

/** The signature that whoever has the secret makes: 64 hexadecimal digits. */
export function signatureOf({ scope, date }: Authorization, canonical: string, secretAccessKey: string): string {
  const place = [scope.date, scope.region, scope.service, "aws4_request"];
  const key = place.reduce<string | Buffer>((derived, part) => createHmac("sha256", derived).update(part).digest(), `AWS4${secretAccessKey}`);
  const toSign = [algorithm, date, place.join("/"), createHash("sha256").update(canonical).digest("hex")].join("\n");
  return createHmac("sha256", key).update(toSign).digest("hex");
}

function canonicalPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  const normal = parts.map(encoded).join("/");
  return `/${normal}${normal !== "" && path.endsWith("/") ? "/" : ""}`;
}

function canonicalQuery(query: string): string {
  if (query === "") return "";
  const pairs = query.split("&").map((pair) => {
    const at = pair.indexOf("=");
    const [name, value] = at === -1 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
    return [encoded(decoded(name)), encoded(decoded(value))] as const;
  });
  const inOrder = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return pairs
    .toSorted(([nameA, valueA], [nameB, valueB]) => inOrder(nameA, nameB) || inOrder(valueA, valueB))
    .map((pair) => pair.join("="))
    .join("&");
}

/** RFC 3986: all but letters, digits and `-._~`. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** What stands for nothing stays as it is: the signature will differ, and says so. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " ")); // As the query is read afterwards.
  } catch {
    return text;
  }
}

function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
}

function folded(value: string): string {
  return value.trim().replace(/\s+/g, " ");
}

import { createHash, createHmac } from "node:crypto";
import { HttpRequest } from "@smithy/protocol-http";
import { SignatureV4 } from "@smithy/signature-v4";
import type { TenantId } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { createSignatureVerifier, type SignedRequest } from "./signature-verifier.ts";

const accessKeyId = "LSAKABCDEFGHIJKLMNOP";
const secretAccessKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const now = new Date("2026-01-02T03:04:05Z");

/** The hash that AWS's own signer brings nowhere along. */
class Sha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", typeof secret === "string" ? secret : Buffer.from(ArrayBuffer.isView(secret) ? secret.buffer : secret));
  }
  update(data: Uint8Array): void {
    this.#hash.update(data);
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }
}

interface Wanted {
  readonly method?: string;
  readonly path?: string;
  readonly query?: Record<string, string | string[]>;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly at?: Date;
  readonly secret?: string;
  readonly service?: string;
  readonly key?: string;
  readonly token?: string;
}

/** A request that AWS's own signer has signed, as it comes in over HTTP. */
async function signed({ method = "POST", path = "/2015-03-31/functions/resize/invocations", query = {}, headers = {}, body = "{}", at = now, secret = secretAccessKey, service = "lambda", key = accessKeyId, token }: Wanted = {}): Promise<SignedRequest> {
  const signer = new SignatureV4({ service, region: "eu-west-1", sha256: Sha256, credentials: { accessKeyId: key, secretAccessKey: secret, ...(token !== undefined && { sessionToken: token }) } });
  const request = new HttpRequest({ method, protocol: "http:", hostname: "fleet.example", port: 4270, path, query, headers: { host: "fleet.example:4270", ...headers }, body });
  const made = await signer.sign(request, { signingDate: at });
  const encoded = (text: string) => encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  const pairs = Object.entries(query).flatMap(([name, values]) => [values].flat().map((value) => `${encoded(name)}=${encoded(value)}`));
  return incoming({ method, target: `${path}${pairs.length > 0 ? `?${pairs.join("&")}` : ""}`, rawHeaders: Object.entries(made.headers).flat(), body: Buffer.from(body) });
}

/** Headers as Node gives them. */
function incoming(request: Omit<SignedRequest, "headers">): SignedRequest {
  const headers: Record<string, string> = {};
  for (let at = 0; at < request.rawHeaders.length; at += 2) headers[(request.rawHeaders[at] ?? "").toLowerCase()] = request.rawHeaders[at + 1] ?? "";
  return { ...request, headers };
}

const withHeader = (request: SignedRequest, name: string, change: (value: string) => string | undefined) => {
  const rawHeaders: string[] = [];
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    const [key = "", value = ""] = request.rawHeaders.slice(at, at + 2);
    const changed = key.toLowerCase() === name ? change(value) : value;
    if (changed !== undefined) rawHeaders.push(key, changed);
  }
  return incoming({ ...request, rawHeaders });
};

const find = (id: string) => (id === accessKeyId ? { tenantId: "acme" as TenantId, secretAccessKey } : undefined);
const verifier = createSignatureVerifier({ find, now: () => now });
const refusal = (request: SignedRequest): unknown => {
  try {
    verifier.verify(request);
    return undefined;
  } catch (error) {
    return error;
  }
};

describe("a signature of AWS's own signer", () => {
  it.each<[what: string, wanted: Wanted]>([
    ["a plain call", {}],
    ["an ARN in the path, encoded once", { path: "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A000000000000%3Afunction%3Aresize/invocations" }],
    ["an ARN in the path, as it is", { path: "/2015-03-31/functions/arn:aws:lambda:eu-west-1:000000000000:function:resize/invocations" }],
    ["a path with odd characters", { path: "/2015-03-31/functions/a%20b%2Bc!'()*~é/invocations" }],
    ["a path with a slash at its end", { path: "/2015-03-31/functions/", method: "GET" }],
    ["a query", { query: { Qualifier: "$LATEST", MaxItems: "5", Marker: "a b+c/=&é*" }, method: "GET" }],
    ["a query of several values", { query: { b: ["2", "1"], a: "" } }],
    ["headers with spaces", { headers: { "x-amz-log-type": "  Tail ", "x-amz-client-context": "a   b" } }],
    ["no body", { body: "", method: "GET" }],
    ["a body of many bytes", { body: "é".repeat(100_000) }],
    ["a clock that is behind", { at: new Date(now.getTime() - 290_000) }],
    ["a clock that is ahead", { at: new Date(now.getTime() + 290_000) }],
  ])("is verified: %s", async (_what, wanted) => {
    expect(verifier.verify(await signed(wanted))).toEqual({ tenantId: "acme" });
  });

  it.each<[what: string, change: (request: SignedRequest) => SignedRequest]>([
    ["the method", (request) => ({ ...request, method: "GET" })],
    ["the path", (request) => ({ ...request, target: request.target.replace("resize", "delete") })],
    ["the query", (request) => ({ ...request, target: `${request.target}&Qualifier=2` })],
    ["a plus in the query, which is read as a space", (request) => ({ ...request, target: request.target.replace("a%2Bb", "a+b") })],
    ["the body", (request) => ({ ...request, body: Buffer.from("[]") })],
    ["a header", (request) => withHeader(request, "x-amz-log-type", () => "None")],
    ["the host", (request) => withHeader(request, "host", () => "other.example")],
    ["a header that is added", (request) => incoming({ ...request, rawHeaders: [...request.rawHeaders, "X-Amz-Invocation-Type", "DryRun"] })],
    ["a header that comes twice", (request) => incoming({ ...request, rawHeaders: [...request.rawHeaders, "x-amz-log-type", "Tail"] })],
    ["the list of signed headers", (request) => withHeader(request, "authorization", (value) => value.replace(";x-amz-log-type", ""))],
    ["the signature", (request) => withHeader(request, "authorization", (value) => value.replace(/Signature=./, (found) => (found.endsWith("0") ? "Signature=1" : "Signature=0")))],
    ["the region", (request) => withHeader(request, "authorization", (value) => value.replace("eu-west-1", "eu-west-2"))],
    ["the time", (request) => withHeader(request, "x-amz-date", () => "20260102T030406Z")],
    ["the hash of the body", (request) => withHeader(request, "x-amz-content-sha256", () => "UNSIGNED-PAYLOAD")],
  ])("is refused when something else comes than was signed: %s", async (_what, change) => {
    expect(refusal(change(await signed({ headers: { "x-amz-log-type": "Tail" }, query: { Marker: "a+b" } })))).toMatchObject({ type: "InvalidSignatureException", status: 403 });
  });

  it.each<[what: string, request: Promise<SignedRequest>, error: Record<string, unknown>]>([
    ["a wrong secret", signed({ secret: "other" }), { type: "InvalidSignatureException" }],
    ["an unknown key", signed({ key: "LSAKAAAAAAAAAAAAAAAA" }), { type: "UnrecognizedClientException", message: "The security token included in the request is invalid." }],
    ["a session's token", signed({ token: "temporary" }), { type: "UnrecognizedClientException" }],
    ["another service", signed({ service: "s3" }), { type: "InvalidSignatureException", message: expect.stringContaining("'lambda'") }],
    ["a time too long ago", signed({ at: new Date(now.getTime() - 301_000) }), { type: "InvalidSignatureException", message: expect.stringContaining("Signature expired: 20260102T025904Z") }],
    ["a time yet to come", signed({ at: new Date(now.getTime() + 301_000) }), { type: "InvalidSignatureException", message: expect.stringContaining("not yet current") }],
    ["no signature", signed().then((request) => withHeader(request, "authorization", () => undefined)), { type: "MissingAuthenticationTokenException" }],
    ["a signature in the URL", signed().then((request) => ({ ...request, target: `${request.target}?X-Amz-Signature=00` })), { type: "IncompleteSignatureException" }],
    ["no time", signed().then((request) => withHeader(request, "x-amz-date", () => undefined)), { type: "IncompleteSignatureException" }],
    ["a key of another form", signed({ key: "test" }), { type: "UnrecognizedClientException" }],
    ["half a signature", signed().then((request) => withHeader(request, "authorization", (value) => value.slice(0, -1))), { type: "IncompleteSignatureException" }],
    ["another algorithm", signed().then((request) => withHeader(request, "authorization", (value) => value.replace("HMAC-SHA256", "ECDSA-P256-SHA256"))), { type: "IncompleteSignatureException" }],
    ["a header of a megabyte", signed().then((request) => withHeader(request, "authorization", (value) => `${value}${" ".repeat(1_000_000)}`)), { type: "IncompleteSignatureException" }],
  ])("is refused: %s", async (_what, request, error) => {
    expect(refusal(await request)).toMatchObject({ status: 403, ...error });
  });
});

import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Caller } from "../socket/caller.ts";
import { AwsError } from "./aws-error.ts";
import type { KeyPair } from "./key-pairs.ts";
import { type Authorization, canonicalRequest, readAuthorization, signatureOf } from "./signature.ts";

/** A request as far as its signature covers it. */
export interface SignedRequest {
  readonly method: string;
  /** Raw request target. */
  readonly target: string;
  /** As Node gives them: lower-case names. */
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
}

/** Finds out who signed a request; throws an AwsError where nobody did whom it knows. */
export interface SignatureVerifier {
  verify(request: SignedRequest): Caller;
}

/** A signature is good for that long, before and after: clocks differ. */
const skewMs = 5 * 60_000;
const service = "lambda";

/**
 * Verifies AWS's signatures (SigV4) by the key pairs that tenants have made.
 *
 * Invariants: V1 what a signature does not cover is not believed: method, path, query, host, time, every `x-amz-` header and the body
 * are. V2 how long a wrong signature takes tells nothing of the right one.
 */
export function createSignatureVerifier({ find, now }: { readonly find: (accessKeyId: string) => KeyPair | undefined; readonly now: () => Date }): SignatureVerifier {
  return {
    verify(request) {
      refuseOtherWays(request);
      const authorization = readAuthorization(request.headers.authorization ?? "", String(request.headers["x-amz-date"] ?? ""));
      checkTime(authorization, now());
      checkScope(authorization, request);
      const pair = find(authorization.accessKeyId);
      if (pair === undefined) throw unknownToken();
      const payloadHash = createHash("sha256").update(request.body).digest("hex");
      checkPayloadHash(request.headers["x-amz-content-sha256"], payloadHash);
      const expected = signatureOf(authorization, canonicalRequest(request, authorization.signedHeaders, payloadHash), pair.secretAccessKey);
      if (!timingSafeEqual(Buffer.from(expected), Buffer.from(authorization.signature))) throw mismatch();
      return { tenantId: pair.tenantId };
    },
  };
}

function refuseOtherWays({ target, headers }: SignedRequest): void {
  if (/[?&]X-Amz-Signature=/i.test(target)) throw new AwsError("IncompleteSignatureException", 403, "A signature in the URL is not taken here: send it in the Authorization header");
  if (headers.authorization === undefined) throw new AwsError("MissingAuthenticationTokenException", 403, "Missing Authentication Token");
  if (headers["x-amz-security-token"] !== undefined) throw new AwsError("UnrecognizedClientException", 403, "The security token included in the request is invalid: key pairs of this fleet have none (is AWS_SESSION_TOKEN set?).");
}

/** V1 */
function checkScope({ scope, signedHeaders, date }: Authorization, { headers }: SignedRequest): void {
  if (scope.service !== service) throw new AwsError("InvalidSignatureException", 403, `Credential should be scoped to correct service: '${service}'.`);
  if (!date.startsWith(scope.date)) throw new AwsError("InvalidSignatureException", 403, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP");
  for (const name of ["host", ...Object.keys(headers).filter((key) => key.startsWith("x-amz-"))]) {
    if (!signedHeaders.includes(name)) throw new AwsError("InvalidSignatureException", 403, `'${name}' must be a 'SignedHeader' in the AWS Authorization.`);
  }
}

function checkTime({ date }: Authorization, now: Date): void {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  const here = now.toISOString().replace(/[-:]|\.\d+/g, "");
  if (Number.isNaN(at)) throw new AwsError("IncompleteSignatureException", 403, "Date must be in ISO-8601 'basic format': X-Amz-Date like 20260102T030405Z");
  if (at < now.getTime() - skewMs) throw new AwsError("InvalidSignatureException", 403, `Signature expired: ${date} is now earlier than ${here} - 5 min.`);
  if (at > now.getTime() + skewMs) throw new AwsError("InvalidSignatureException", 403, `Signature not yet current: ${date} is still later than ${here} + 5 min.`);
}

function checkPayloadHash(given: string | string[] | undefined, actual: string): void {
  if (given !== undefined && given !== actual) throw new AwsError("InvalidSignatureException", 403, "The provided 'x-amz-content-sha256' header does not match what was computed.");
}

function unknownToken(): AwsError {
  return new AwsError("UnrecognizedClientException", 403, "The security token included in the request is invalid.");
}

function mismatch(): AwsError {
  return new AwsError("InvalidSignatureException", 403, "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.");
}

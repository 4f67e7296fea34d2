import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { ImageReference, RegistryCredential } from "@longshore/protocol";
import { type Challenge, readChallenge } from "./challenge.ts";
import type { RegistryAccess } from "./settings.ts";
import type { Upstream } from "./upstream.ts";

/** What a registry itself says of an image. */
export interface RegistryAnswer {
  readonly status: number;
  /** Its own words, where it refused. */
  readonly words: string;
  /** Architectures of a list of images; undefined for a single image. */
  readonly architectures: readonly string[] | undefined;
}

/** Answers are documents of a few kilobytes. */
const maxBytes = 1024 * 1024;
const manifestTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];

/** Asks a registry for an image's manifest, as an engine would. Rejects when it cannot be reached. */
export async function askRegistry(access: RegistryAccess, upstream: Upstream, reference: ImageReference, credential: RegistryCredential | undefined, signal: AbortSignal): Promise<RegistryAnswer> {
  const url = new URL(`/v2/${reference.repository}/manifests/${reference.digest ?? reference.tag ?? "latest"}`, access.url);
  const ask = (headers: IncomingHttpHeaders) => upstream.open(url, { method: "GET", headers: { ...headers, accept: manifestTypes.join(", ") }, signal });
  let answer = await ask({});
  const challenge = answer.statusCode === 401 ? readChallenge(answer.headers["www-authenticate"]) : undefined;
  if (challenge !== undefined) {
    const authorization = await authorize(challenge, upstream, credential, signal);
    if (authorization === undefined) return readAnswer(answer);
    answer.destroy();
    if (typeof authorization !== "string") return authorization;
    answer = await ask({ authorization });
  }
  return readAnswer(answer);
}

/** The `Authorization` that answers a challenge; undefined where there is nothing to answer with, or what the giver of tokens said instead. */
async function authorize(challenge: Challenge, upstream: Upstream, credential: RegistryCredential | undefined, signal: AbortSignal): Promise<string | RegistryAnswer | undefined> {
  const basic = credential && `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString("base64")}`;
  if (challenge.scheme === "basic") return basic;
  const url = new URL(challenge.realm);
  for (const [key, value] of Object.entries(challenge.parameters)) if (key === "service" || key === "scope") url.searchParams.set(key, value);
  const answer = await upstream.open(url, { method: "GET", headers: basic === undefined ? {} : { authorization: basic }, signal });
  if (answer.statusCode !== 200) return readAnswer(answer);
  const document = parse(await readBody(answer)) as { token?: unknown; access_token?: unknown } | undefined;
  const token = document?.token ?? document?.access_token;
  return typeof token === "string" ? `Bearer ${token}` : undefined;
}

async function readAnswer(answer: IncomingMessage): Promise<RegistryAnswer> {
  const body = await readBody(answer);
  const { statusCode = 0, statusMessage = "" } = answer;
  if (statusCode === 200) return { status: 200, words: "", architectures: architecturesOf(parse(body)) };
  return { status: statusCode, words: wordsOf(parse(body)) ?? (statusMessage || "no reason given"), architectures: undefined };
}

/** The first of the errors in a registry's document. */
function wordsOf(document: unknown): string | undefined {
  const first = (document as { errors?: unknown } | undefined)?.errors;
  const { code, message } = ((Array.isArray(first) ? first[0] : undefined) ?? {}) as { code?: unknown; message?: unknown };
  const words = typeof message === "string" && message !== "" ? message : code;
  return typeof words === "string" ? words.replaceAll(/[^\x20-\x7e]+/g, " ").slice(0, 200) : undefined;
}

function architecturesOf(document: unknown): string[] | undefined {
  const manifests = (document as { manifests?: unknown } | undefined)?.manifests;
  if (!Array.isArray(manifests)) return undefined;
  const named = manifests.map((manifest) => (manifest as { platform?: { architecture?: unknown; os?: unknown } } | null)?.platform);
  return [...new Set(named.flatMap((platform) => (platform?.os === "linux" && typeof platform.architecture === "string" ? [platform.architecture] : [])))];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readBody(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > maxBytes) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}

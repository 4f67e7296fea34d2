import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { ImageReference, RegistryCredential } from "@longshore/protocol";
import { type BearerChallenge, readChallenge } from "./challenge.ts";
import type { RegistryAccess } from "./settings.ts";
import type { Upstream } from "./upstream.ts";

/** What a registry itself says of an image, or the place that it sends for tokens. */
export interface RegistryAnswer {
  /** The host that gives tokens, where it was that one who refused; undefined: the registry. */
  readonly tokenServer?: string | undefined;
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

/** A registry, or the place that it sends for tokens, is away. */
export class NoAnswer extends Error {
  /** As of a {@link RegistryAnswer}. */
  readonly tokenServer: string | undefined;

  constructor(tokenServer: string | undefined, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.tokenServer = tokenServer;
  }
}

/** Asks a registry for an image's manifest, as an engine would. Rejects with {@link NoAnswer} when it, or its token server, cannot be reached. */
export async function askRegistry(access: RegistryAccess, upstream: Upstream, reference: ImageReference, credential: RegistryCredential | undefined, signal: AbortSignal): Promise<RegistryAnswer> {
  const url = new URL(`/v2/${reference.repository}/manifests/${reference.digest ?? reference.tag ?? "latest"}`, access.url);
  const ask = (headers: IncomingHttpHeaders) => open(undefined, upstream, url, { ...headers, accept: manifestTypes.join(", ") }, signal);
  let answer = await ask({});
  const challenge = answer.statusCode === 401 ? readChallenge(answer.headers["www-authenticate"]) : undefined;
  if (challenge !== undefined) {
    const authorization = challenge.scheme === "basic" ? basicOf(credential) : await fetchToken(challenge, upstream, credential, signal);
    if (authorization === undefined) return readAnswer(answer);
    answer.destroy();
    if (typeof authorization !== "string") return authorization;
    answer = await ask({ authorization });
  }
  return readAnswer(answer);
}

async function open(tokenServer: string | undefined, upstream: Upstream, url: URL, headers: IncomingHttpHeaders, signal: AbortSignal): Promise<IncomingMessage> {
  try {
    return await upstream.open(url, { method: "GET", headers, signal });
  } catch (cause) {
    throw new NoAnswer(tokenServer, cause);
  }
}

function basicOf(credential: RegistryCredential | undefined): string | undefined {
  return credential && `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString("base64")}`;
}

/** The `Authorization` that a token server gives, or what it said instead; undefined where the challenge names no place to ask. */
async function fetchToken(challenge: BearerChallenge, upstream: Upstream, credential: RegistryCredential | undefined, signal: AbortSignal): Promise<string | RegistryAnswer | undefined> {
  if (!URL.canParse(challenge.realm)) return undefined;
  const url = new URL(challenge.realm);
  for (const [key, value] of Object.entries(challenge.parameters)) if (key === "service" || key === "scope") url.searchParams.set(key, value);
  const basic = basicOf(credential);
  const answer = await open(url.host, upstream, url, basic === undefined ? {} : { authorization: basic }, signal);
  if (answer.statusCode !== 200) return { ...(await readAnswer(answer)), tokenServer: url.host };
  const document = parse(await readBody(answer)) as { token?: unknown; access_token?: unknown } | undefined;
  const token = document?.token ?? document?.access_token;
  return typeof token === "string" ? `Bearer ${token}` : { tokenServer: url.host, status: 200, words: "no token", architectures: undefined };
}

async function readAnswer(answer: IncomingMessage): Promise<RegistryAnswer> {
  const body = await readBody(answer);
  const { statusCode = 0, statusMessage = "", headers } = answer;
  if (statusCode === 200) return { status: 200, words: "", architectures: architecturesOf(parse(body)) };
  const words = wordsOf(parse(body)) ?? (statusMessage || "no reason given");
  const error = tokenErrorOf(headers["www-authenticate"]);
  return { status: statusCode, words: error === undefined ? words : `${words} (${printable(error)})`, architectures: undefined };
}

/** What a registry has against the token that it was asked with (RFC 6750, 3): its document says the same of every refusal. */
function tokenErrorOf(field: string | undefined): string | undefined {
  const challenge = readChallenge(field);
  if (challenge?.scheme !== "bearer") return undefined;
  const { error, scope } = challenge.parameters;
  return error === undefined || scope === undefined ? error : `${error}: ${scope}`;
}

/** The first of the errors in a registry's document; token servers also have one text, by names of their own (Docker Hub, Quay, OAuth 2.0). */
function wordsOf(document: unknown): string | undefined {
  const { errors, ...texts } = (document ?? {}) as Readonly<Record<string, unknown>>;
  const first = ((Array.isArray(errors) ? errors[0] : undefined) ?? {}) as { code?: unknown; message?: unknown };
  const words = [first.message, first.code, texts["details"], texts["error_description"], texts["message"], texts["error"]].find((text) => typeof text === "string" && text !== "");
  return typeof words === "string" ? printable(words) : undefined;
}

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]+/g, " ").slice(0, 200);
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

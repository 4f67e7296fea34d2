import { LongshoreError } from "@longshore/protocol";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";

/** The console's page and its files, as they are answered; nothing that is not among them is ever read from disk. */
export interface Console {
  /** Answers a request for the console; false when the path is none of its. Throws `method_not_allowed` or `route_not_found`. */
  answer(request: IncomingMessage, response: ServerResponse, path: string): boolean;
}

interface ConsoleFile {
  readonly contentType: string;
  readonly cacheControl: string;
  readonly plain: Encoded;
  /** Made when it is first asked for. */
  gzip?: Encoded;
}

interface Encoded {
  readonly bytes: Buffer;
  readonly etag: string;
}

/**
 * What a page of the console may do: load what this broker serves and talk to it. No inline script or style, nobody may frame it, and no
 * text becomes markup or code. Its own browsing context, so that no page of a function (same origin, other policy) gets hold of its window.
 */
const securityHeaders = {
  "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
  "Referrer-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
} as const;

const contentTypes: Readonly<Record<string, string>> = { ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml" };
const assetsPath = "/console/assets/";
const notBuilt = "The console is not built here: run npm start in the repository once, or set consoleFolder to where its bundle is.\n";

/**
 * Reads the console from the folder with its bundle, once. Without a folder, or with none there, its page is one sentence that says how to
 * have it built.
 */
export function readConsole(folder: string | undefined): Console {
  const page = folder === undefined ? undefined : readPage(folder);
  return page === undefined || folder === undefined ? new MissingConsole() : new BundledConsole(page, readAssets(join(folder, "assets")));
}

class BundledConsole implements Console {
  readonly #page: ConsoleFile;
  readonly #assets: ReadonlyMap<string, ConsoleFile>;

  constructor(page: ConsoleFile, assets: ReadonlyMap<string, ConsoleFile>) {
    this.#page = page;
    this.#assets = assets;
  }

  answer(request: IncomingMessage, response: ServerResponse, path: string): boolean {
    if (!isOfConsole(path)) return false;
    checkMethod(request);
    const file = path.startsWith(assetsPath) ? this.#assets.get(path.slice(assetsPath.length)) : this.#page;
    if (file === undefined) throw new LongshoreError("route_not_found", `Cannot find ${JSON.stringify(path.slice(0, 80))}: the console has no such file`, { phase: "admission" });
    sendFile(request, response, file);
    return true;
  }
}

class MissingConsole implements Console {
  answer(request: IncomingMessage, response: ServerResponse, path: string): boolean {
    if (!isOfConsole(path)) return false;
    checkMethod(request);
    response.writeHead(404, { ...securityHeaders, "Content-Type": "text/plain; charset=utf-8", "Content-Length": Buffer.byteLength(notBuilt), "Cache-Control": "no-store" });
    response.end(request.method === "HEAD" ? undefined : notBuilt);
    return true;
  }
}

/** The page is the same at every path below `/console`: the rest of the path is for its script. */
const isOfConsole = (path: string): boolean => path === "/" || path === "/console" || path.startsWith("/console/");

function checkMethod({ method }: IncomingMessage): void {
  if (method === "GET" || method === "HEAD") return;
  throw new LongshoreError("method_not_allowed", `Cannot ${String(method).slice(0, 16)} the console: it takes GET, HEAD`, { phase: "admission" });
}

function sendFile(request: IncomingMessage, response: ServerResponse, file: ConsoleFile): void {
  const isZipped = /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
  const { bytes, etag } = isZipped ? (file.gzip ??= encoded(gzipSync(file.plain.bytes, { level: 9 }))) : file.plain;
  const fields: OutgoingHttpHeaders = { ...securityHeaders, "Cache-Control": file.cacheControl, "ETag": etag, "Vary": "Accept-Encoding" };
  if (request.headers["if-none-match"]?.split(",").some((each) => each.trim() === etag) === true) {
    response.writeHead(304, fields).end();
    return;
  }
  response.writeHead(200, { ...fields, "Content-Type": file.contentType, "Content-Length": bytes.length, ...(isZipped && { "Content-Encoding": "gzip" }) });
  response.end(request.method === "HEAD" ? undefined : bytes);
}

function readPage(folder: string): ConsoleFile | undefined {
  try {
    return { contentType: "text/html; charset=utf-8", cacheControl: "no-cache", plain: encoded(readFileSync(join(folder, "index.html"))) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Their names bear a hash of their content, so that they may be kept for good. */
function readAssets(folder: string): ReadonlyMap<string, ConsoleFile> {
  const names = readdirSync(folder).filter((name) => Object.hasOwn(contentTypes, extname(name)));
  return new Map(names.map((name) => [name, { contentType: contentTypes[extname(name)] ?? "", cacheControl: "public, max-age=31536000, immutable", plain: encoded(readFileSync(join(folder, name))) }]));
}

function encoded(bytes: Buffer): Encoded {
  return { bytes, etag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"` };
}

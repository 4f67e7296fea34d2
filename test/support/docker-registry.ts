import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request as tlsRequest } from "node:https";
import { type IncomingMessage, request as plainRequest } from "node:http";
import { createServer } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import type { RegistryImage } from "./registry-image.ts";
import type { TokenServer } from "./token-server.ts";

/** What {@link startDockerRegistry} asks for where it is protected; the file holds the password's bcrypt hash. */
export const registryLogin = { username: "plant", password: "plant-secret" } as const;
const htpasswd = "plant:$2b$04$6v/0oMDbTOuRm6tvsBv/TO11YRqwqrm0SqtyiWtJiw5GswWsidnvO\n";

/** What set-up found, else the one on PATH. */
const executable = process.env["LONGSHORE_DOCKER_REGISTRY"] ?? "docker-registry";

export interface DockerRegistryOptions {
  /** Where it listens; default loopback. */
  readonly host?: string;
  /** Asks for {@link registryLogin}. */
  readonly isProtected?: boolean;
  /** Asks for tokens of that place. */
  readonly tokens?: TokenServer;
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string; readonly ca: string };
}

/** Debian's registry, in a process and a folder of its own. */
export interface DockerRegistry extends AsyncDisposable {
  /** `127.0.0.1:40123` */
  readonly address: string;
  /** Stores an image under a tag and returns its digest. */
  push(repository: string, tag: string, image: RegistryImage): Promise<string>;
  /** How often a path that matches was read. */
  reads(pattern: RegExp): number;
  close(): Promise<void>;
}

/** Starts an empty registry; resolves once it answers. */
export async function startDockerRegistry({ host = "127.0.0.1", isProtected = false, tokens, tls }: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const folder = mkdtempSync(join(tmpdir(), "longshore-docker-registry-"));
  const address = `${host}:${await freePort(host)}`;
  writeFileSync(join(folder, "htpasswd"), htpasswd);
  const config = {
    version: "0.1",
    log: { level: "error", accesslog: { disabled: false } },
    storage: { filesystem: { rootdirectory: join(folder, "data") } },
    http: { addr: address, secret: "of a test", ...(tls && { tls: { certificate: tls.certificateFile, key: tls.keyFile } }) },
    ...(isProtected && { auth: { htpasswd: { realm: "plant", path: join(folder, "htpasswd") } } }),
    ...(tokens && { auth: { token: tokens.trust } }),
  };
  // JSON is YAML.
  writeFileSync(join(folder, "config.yml"), JSON.stringify(config));
  const child = spawn(executable, ["serve", join(folder, "config.yml")], { stdio: ["ignore", "pipe", "pipe"] });
  const failed = new Promise<never>((_, reject) => child.once("error", reject));
  failed.catch(() => undefined);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const authorize = tokens ? (path: string) => `Bearer ${tokens.issue(repositoryOf(path), ["pull", "push"])}` : isProtected ? () => basic : undefined;
  const send = sender(address, tls?.ca, authorize);

  const close = async () => {
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.race([answers(send, () => child.exitCode === null), failed]);
  } catch (error) {
    await close();
    throw new Error(`Cannot start ${executable}: ${output}`, { cause: error });
  }
  return {
    address,
    async push(repository, tag, { digest, manifest, manifestType, blobs }) {
      for (const [blobDigest, blob] of blobs) await pushBlob(send, repository, blobDigest, blob);
      for (const name of new Set([tag, digest])) await send("PUT", `/v2/${repository}/manifests/${name}`, manifest, manifestType);
      return digest;
    },
    reads: (pattern) => output.split("\n").filter((line) => line.includes('"GET ') && pattern.test(line)).length,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** An address of this machine that is not loopback, so that engines want TLS there. */
export function outsideAddress(): string {
  const own = Object.values(networkInterfaces()).flat().find((each) => each?.family === "IPv4" && !each.internal);
  if (own === undefined) throw new Error("This machine has no address beside loopback");
  return own.address;
}

const basic = `Basic ${Buffer.from(`${registryLogin.username}:${registryLogin.password}`).toString("base64")}`;

function repositoryOf(path: string): string {
  return /^\/v2\/(.+)\/(?:blobs|manifests)\//.exec(path)?.[1] ?? "";
}

type Send = (method: string, path: string, body?: Buffer, type?: string) => Promise<IncomingMessage>;

/** Sends with the credentials and the authority that the registry wants; rejects for anything but success. */
function sender(address: string, ca: string | undefined, authorize: ((path: string) => string) | undefined): Send {
  const agent = ca === undefined ? undefined : new Agent({ ca });
  return (method, path, body, type = "application/octet-stream") =>
    new Promise((resolve, reject) => {
      const url = new URL(path, `${ca === undefined ? "http" : "https"}://${address}`);
      const headers = { "content-length": body?.length ?? 0, "content-type": type, ...(authorize && { authorization: authorize(path) }) };
      const request = ca === undefined ? plainRequest(url, { method, headers }) : tlsRequest(url, { method, headers, agent });
      request.on("error", reject).on("response", (response) => {
        response.resume();
        if ((response.statusCode ?? 500) < 300) resolve(response);
        else reject(new Error(`${method} ${path}: ${response.statusCode}`));
      });
      request.end(body);
    });
}

async function pushBlob(send: Send, repository: string, digest: string, blob: Buffer): Promise<void> {
  const { headers } = await send("POST", `/v2/${repository}/blobs/uploads/`);
  const at = new URL(headers.location ?? "", "http://registry");
  at.searchParams.set("digest", digest);
  await send("PUT", `${at.pathname}${at.search}`, blob);
}

/** Resolves once the registry listens: it says nothing of that itself. */
async function answers(send: Send, isAlive: () => boolean): Promise<void> {
  for (;;) {
    try {
      await send("GET", "/v2/");
      return;
    } catch (error) {
      if (!isAlive()) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function freePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as { port: number };
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { digestOf, makeRegistryImage, manifestType, type RegistryImage } from "./registry-image.ts";

/** An image registry, on loopback unless told otherwise, where engines pull without TLS (the distribution API as far as a pull needs it). */
export interface TestRegistry {
  /** `127.0.0.1:40123` */
  readonly address: string;
  /** Adds an image of one layer made of random bytes and returns its digest. A damaged one has a manifest, and no layer. */
  add(repository: string, tag: string, options?: { damaged?: boolean; bytes?: number }): string;
  /** Puts an image there and returns its digest. */
  put(repository: string, tag: string, image: RegistryImage): string;
  /** Asks for this name and password from now on. */
  protect(username: string, password: string): void;
  /** Holds back every layer until the returned function is called. */
  holdLayers(): () => void;
  /** Resolves when a layer is asked for. */
  layerAsked(): Promise<void>;
  /** Gives the answer to whatever asks for a path that matches, in place of the registry's own; returning false leaves it to the registry. */
  script(answer: (request: IncomingMessage, response: ServerResponse) => boolean): void;
  /** Paths asked for so far, with their methods. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/** Starts an empty registry. */
export async function startRegistry(host = "127.0.0.1"): Promise<TestRegistry> {
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, Buffer>();
  const requests: string[] = [];
  let authorization: string | undefined;
  let scripted: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  let gate: Promise<void> = Promise.resolve();
  let asked = Promise.withResolvers<void>();

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? "";
    requests.push(`${request.method} ${path}`);
    if (scripted?.(request, response) === true) return;
    if (authorization !== undefined && request.headers.authorization !== authorization) return refuse(response);
    if (path === "/v2/") return send(response, Buffer.from("{}"), "application/json", request.method);
    const manifest = /^\/v2\/(.+)\/manifests\/(.+)$/.exec(path);
    if (manifest !== null) return send(response, manifests.get(`${manifest[1]}@${manifest[2]}`), manifestType, request.method);
    const digest = /\/blobs\/(.+)$/.exec(path)?.[1] ?? "";
    if (blobs.get(digest)?.[0] === 0x1f) {
      asked.resolve();
      await gate;
    }
    return send(response, blobs.get(digest), "application/octet-stream", request.method);
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, host, resolve));

  const put: TestRegistry["put"] = (repository, tag, image) => {
    for (const [digest, blob] of image.blobs) blobs.set(digest, blob);
    for (const name of [tag, image.digest]) manifests.set(`${repository}@${name}`, image.manifest);
    return image.digest;
  };

  return {
    address: `${host}:${(server.address() as { port: number }).port}`,
    add(repository, tag, { damaged = false, bytes = 100_000 } = {}) {
      const image = makeRegistryImage([[{ name: "noise", content: randomBytes(bytes) }]], { Cmd: ["/noise"] });
      const kept = [...image.blobs].filter(([, blob]) => !damaged || blob[0] !== 0x1f);
      return put(repository, tag, { ...image, blobs: new Map(kept) });
    },
    put,
    protect(username, password) {
      authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
    },
    holdLayers() {
      const held = Promise.withResolvers<void>();
      gate = held.promise;
      asked = Promise.withResolvers();
      return held.resolve;
    },
    layerAsked: () => asked.promise,
    script(answer) {
      scripted = answer;
    },
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, body: Buffer | undefined, type: string, method: string | undefined): void {
  if (body === undefined) response.writeHead(404, { "content-type": "application/json" }).end(`{"errors":[{"code":"${type === manifestType ? "MANIFEST" : "BLOB"}_UNKNOWN","message":"unknown"}]}`);
  else response.writeHead(200, { "content-type": type, "content-length": body.length, "docker-content-digest": digestOf(body) }).end(method === "HEAD" ? undefined : body);
}

function refuse(response: ServerResponse): void {
  response.writeHead(401, { "www-authenticate": 'Basic realm="test"', "content-type": "application/json" }).end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}');
}

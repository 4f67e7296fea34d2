import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";

/** An image registry on loopback, from which engines pull without TLS (the distribution API as far as a pull needs it). */
export interface TestRegistry {
  /** `127.0.0.1:40123` */
  readonly address: string;
  /** Adds an image of one layer made of random bytes and returns its digest. A damaged one has a manifest, and no layer. */
  add(repository: string, tag: string, options?: { damaged?: boolean; bytes?: number }): string;
  /** Asks for this name and password from now on. */
  protect(username: string, password: string): void;
  /** Holds back every layer until the returned function is called. */
  holdLayers(): () => void;
  /** Resolves when a layer is asked for. */
  layerAsked(): Promise<void>;
  /** Paths asked for so far, with their methods. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

const manifestType = "application/vnd.docker.distribution.manifest.v2+json";
const digestOf = (bytes: Buffer) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Starts an empty registry. */
export async function startRegistry(): Promise<TestRegistry> {
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, Buffer>();
  const requests: string[] = [];
  let authorization: string | undefined;
  let gate: Promise<void> = Promise.resolve();
  let asked = Promise.withResolvers<void>();

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? "";
    requests.push(`${request.method} ${path}`);
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
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    address: `127.0.0.1:${(server.address() as { port: number }).port}`,
    add(repository, tag, { damaged = false, bytes = 100_000 } = {}) {
      const layer = tarOf("noise", randomBytes(bytes));
      const packed = gzipSync(layer);
      const config = Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", config: { Cmd: ["/noise"] }, rootfs: { type: "layers", diff_ids: [digestOf(layer)] } }));
      const manifest = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: manifestType,
          config: { mediaType: "application/vnd.docker.container.image.v1+json", size: config.length, digest: digestOf(config) },
          layers: [{ mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip", size: packed.length, digest: digestOf(packed) }],
        }),
      );
      blobs.set(digestOf(config), config);
      if (!damaged) blobs.set(digestOf(packed), packed);
      for (const name of [tag, digestOf(manifest)]) manifests.set(`${repository}@${name}`, manifest);
      return digestOf(manifest);
    },
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

/** An archive of one file (POSIX ustar). */
function tarOf(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  const field = (text: string, at: number) => header.write(text, at, "latin1");
  field(name, 0);
  field("0000644\0" + "0000000\0" + "0000000\0", 100);
  field(`${content.length.toString(8).padStart(11, "0")}\0${"0".repeat(11)}\0        0`, 124);
  field("ustar\x0000", 257);
  field(`${header.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, content, Buffer.alloc(((512 - (content.length % 512)) % 512) + 1024)]);
}

import { ensureImage } from "../test/support/images/ensure-image.ts";
import { join } from "node:path";

/** The web server of `cold`: Node's own, answering with what it was sent. */
export const nodeServer = `
import { createServer } from "node:http";
createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => { const body = Buffer.concat(parts); response.writeHead(200, { "content-length": body.length }); response.end(body); });
}).listen(process.env.PORT ?? 8080);
process.on("SIGTERM", () => process.exit(0));
`;

/** A Node web server image that echoes its request body. */
export const nodeImage = () => ensureImage("node", { files: { "/app/server.mjs": { content: nodeServer } }, config: { cmd: ["node", "/app/server.mjs"], exposed: [8080] } });

/** A web server that answers with as many mebibytes of zeros as its path says. */
const streamServer = `
import { createServer } from "node:http";
import { Readable } from "node:stream";
const part = Buffer.alloc(64 * 1024);
function* parts(count) { for (let index = 0; index < count; index += 1) yield part; }
createServer((request, response) => Readable.from(parts(Number(request.url.slice(1)) * 16)).pipe(response)).listen(8080);
`;

/** An image of that server. */
export const streamImage = () => ensureImage("node", { files: { "/app/server.mjs": { content: streamServer } }, config: { cmd: ["node", "/app/server.mjs"], exposed: [8080] } });

/** A web server that works for 50 ms on each request. */
export const workingImage = () =>
  ensureImage("node", { files: { "/app/server.mjs": { content: 'import { createServer } from "node:http";\ncreateServer((request, response) => setTimeout(() => response.end("done"), 50)).listen(8080);\nprocess.on("SIGTERM", () => process.exit(0));\n' } }, config: { cmd: ["node", "/app/server.mjs"], exposed: [8080] } });

/** A web server that fails each request. */
export const failingImage = () => serverImage('(request, response) => { response.writeHead(500).end("no"); }');

/** A web server that never answers. */
export const hangingImage = () => serverImage("() => undefined");

/** A web server that answers with what it was sent, counts its requests, and tells the count at /count. */
export const countingImage = () => serverImage('(request, response) => { if (request.url === "/count") return response.end(String(count)); count += 1; request.pipe(response); }', "let count = 0;");

/** A web server that answers at the time that it is sent, epoch milliseconds, with that. */
export const punctualImage = () => serverImage('async (request, response) => { let at = ""; for await (const part of request) at += part; setTimeout(() => response.end(at), Number(at) - Date.now()); }');

/** A web server that writes down which due time it was called for. */
export const clerkImage = () => serverImage('(request, response) => { console.log("due " + request.headers["longshore-due"]); request.resume().on("end", () => response.end("done")); }');

const serverImage = (handler: string, before = "") =>
  ensureImage("node", { files: { "/app/server.mjs": { content: `import { createServer } from "node:http";\n${before}\ncreateServer(${handler}).listen(8080);\nprocess.on("SIGTERM", () => process.exit(0));\n` } }, config: { cmd: ["node", "/app/server.mjs"], exposed: [8080] } });

/** A static web server: busybox httpd with one small file. */
export const staticImage = () =>
  ensureImage("busybox", { files: { "/www/index.html": { content: "hello\n" } }, config: { cmd: ["busybox", "httpd", "-f", "-p", "8080", "-h", "/www"], exposed: [8080] } });

/** A command-line image: counts words. */
export const commandImage = () => ensureImage("busybox", { config: { entrypoint: ["wc", "-w"] } });

/** Where the bench keeps what it writes for the bare process. */
export const serverFile = (folder: string) => join(folder, "server.mjs");

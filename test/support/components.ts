import { join } from "node:path";
import type { FunctionDocument } from "@longshore/protocol";
import { findProgram, skeleton, treeOfLibraries } from "longshore/local-images";
import { ensureImage } from "./images/ensure-image.ts";
import { treeOfFolder } from "./images/folder-tree.ts";

const mebibyte = 2 ** 20;

/** A document that says nothing of the image: how it is talked to is for Longshore to find out. */
export const component = (name: string, image: string, changes: Partial<FunctionDocument> = {}): FunctionDocument => ({ name, image, memoryBytes: 96 * mebibyte, timeoutMs: 20_000, ...changes });

/** What a developer writes over a framework's three signatures, and a function on the CloudEvents SDK alone. */
const frameworkFunctions = `
const functions = require("@google-cloud/functions-framework");
const { HTTP } = require("cloudevents");

functions.http("hello", (request, response) => response.json({ method: request.method, path: request.url, body: request.body, service: process.env.K_SERVICE }));
functions.cloudEvent("onEvent", (event) => {
  if (event.type !== "plant.reading") throw new Error("unexpected type " + event.type);
});
exports.onLegacyEvent = (data, context) => {
  if (data.word !== "tide" || context.eventType !== "plant.reading") throw new Error("unexpected event");
};
functions.http("answerEvent", (request, response) => {
  const event = HTTP.toEvent({ headers: request.headers, body: request.rawBody?.toString() });
  const { headers, body } = HTTP[request.query.mode](event.cloneWith({ source: "/function" }));
  // As bytes: Node writes the header of an answer that is a short string in UTF-8, and of any other in Latin-1.
  response.set(headers).send(Buffer.from(body ?? ""));
});
`;

/** Google's functions framework, as Cloud Run's buildpacks lay it into an image: no port exposed. */
export async function functionsFramework(name: string, target: string, signature: "http" | "event" | "cloudevent"): Promise<FunctionDocument> {
  const config = { cmd: ["node", "/app/node_modules/@google-cloud/functions-framework/build/src/main.js"], workdir: "/app", env: { FUNCTION_TARGET: target, FUNCTION_SIGNATURE_TYPE: signature } };
  return component(name, await ensureImage("npm", { files: { "/app/index.js": { content: frameworkFunctions } }, config }));
}

const fastifyServer = `
import Fastify from "fastify";
const server = Fastify();
server.get("/hello/:name", async (request) => ({ hello: request.params.name, from: request.query.from }));
server.post("/sum", { schema: { body: { type: "array", items: { type: "number" } } } }, async (request) => ({ sum: request.body.reduce((sum, each) => sum + each, 0) }));
await server.listen({ port: Number(process.env.PORT), host: "0.0.0.0" });
`;

/** fastify, on the port that it is given. */
export async function fastify(name: string): Promise<FunctionDocument> {
  return component(name, await ensureImage("npm", { files: { "/app/server.mjs": { content: fastifyServer } }, config: { cmd: ["node", "server.mjs"], workdir: "/app", exposed: [3000] } }));
}

/** A custom handler as Microsoft's tutorials write it, for a function with an HTTP trigger and one with a queue's. */
const customHandler = `
import { createServer } from "node:http";
createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (text) => (body += text)).on("end", () => {
    if (request.url.startsWith("/api/")) return void response.writeHead(202, { "x-handler": "forwarded" }).end(request.method + " " + request.url + " " + body);
    const { Data } = JSON.parse(body);
    const json = (value) => response.setHeader("content-type", "application/json").end(JSON.stringify(value));
    if (request.url === "/HttpExample") {
      const { name } = JSON.parse(Data.req.Query);
      return void json({ Outputs: { res: { statusCode: 201, headers: { "x-handler": "enveloped" }, body: "Hello, " + name + ": " + (Data.req.Body ?? "nothing") } }, Logs: ["called for " + name], ReturnValue: null });
    }
    if (request.url === "/QueueExample") return void json({ Outputs: {}, Logs: [], ReturnValue: JSON.parse(Data.item).toUpperCase() });
    response.writeHead(404).end("no such function");
  });
}).listen(process.env.FUNCTIONS_CUSTOMHANDLER_PORT, "0.0.0.0");
`;

/** An Azure custom handler. */
export async function azureHandler(name: string, changes: Partial<FunctionDocument> = {}): Promise<FunctionDocument> {
  return component(name, await ensureImage("node", { files: { "/app/handler.mjs": { content: customHandler } }, config: { cmd: ["node", "/app/handler.mjs"], env: { FUNCTIONS_WORKER_RUNTIME: "custom" } } }), changes);
}

const users = `${(skeleton["/etc/passwd"] as { content: string }).content}www-data:x:33:33:www-data:/var/www:/bin/false\n`;
const groups = `${(skeleton["/etc/group"] as { content: string }).content}www-data:x:33:\n`;

/** Debian's nginx-light with Debian's own configuration, and one page. */
export async function nginxLight(name: string): Promise<FunctionDocument> {
  const folder = process.env["LONGSHORE_NGINX"];
  if (folder === undefined) throw new Error("LONGSHORE_NGINX names no folder with Debian's nginx-light: run npm test once, which fetches it");
  const modules = "/etc/nginx/modules-enabled/50-mod-http-echo.conf";
  const files = {
    ...treeOfFolder(folder, "/", (path) => /^(etc\/nginx|usr\/sbin|usr\/lib\/nginx|usr\/share\/nginx)\//.test(path)),
    ...(await treeOfLibraries([join(folder, "usr/sbin/nginx")])),
    "/etc/nginx/sites-enabled/default": { link: "/etc/nginx/sites-available/default" },
    [modules]: { link: "/usr/share/nginx/modules-available/mod-http-echo.conf" },
    "/etc/passwd": { content: users },
    "/etc/group": { content: groups },
    "/var/log/nginx": { directory: true },
    "/var/lib/nginx": { directory: true },
    "/run": { directory: true },
    "/var/www/html/index.html": { content: "<h1>tide</h1>\n" },
  } as const;
  return component(name, await ensureImage("busybox", { files, config: { cmd: ["/usr/sbin/nginx", "-g", "daemon off;"], exposed: [80], stopSignal: "SIGQUIT" } }));
}

/** The web server of Python's library. */
export async function pythonServer(name: string): Promise<FunctionDocument> {
  return component(name, await ensureImage("python", { files: { "/srv/tide.txt": { content: "high\n" } }, config: { cmd: ["python3", "-m", "http.server", "8000"], workdir: "/srv", exposed: [8000] } }));
}

const cgiScript = `#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n%s %s %s\\n' "$REQUEST_METHOD" "$HTTP_X_TIDE" "$QUERY_STRING"
head -c "\${CONTENT_LENGTH:-0}" | wc -c
`;

/** busybox's web server, which forks a process for each request as the classic watchdog does, headers in its environment. */
export async function forkingServer(name: string): Promise<FunctionDocument> {
  return component(name, await ensureImage("busybox", { files: { "/www/cgi-bin/tide": { content: cgiScript, mode: 0o755 }, "/www/index.html": { content: "tide\n" }, "/www/_/ready": { content: "" } }, config: { cmd: ["httpd", "-f", "-p", "8080", "-h", "/www"], exposed: [8080] } }));
}

/** One of GNU's coreutils, this machine's own, as the image's command. */
export async function coreutil(name: string, ...words: readonly [string, ...string[]]): Promise<FunctionDocument> {
  const [program, ...args] = words;
  const path = findProgram(program);
  if (path === undefined) throw new Error(`There is no ${program} on this machine`);
  const files = { ...(await treeOfLibraries([path])), [`/usr/bin/${program}`]: { source: path, mode: 0o755 } };
  return component(name, await ensureImage("busybox", { files, config: { entrypoint: [`/usr/bin/${program}`], cmd: args } }), { memoryBytes: 32 * mebibyte });
}

/** One of busybox's commands, as the image's command. */
export async function busyboxCommand(name: string, ...cmd: readonly string[]): Promise<FunctionDocument> {
  return component(name, await ensureImage("busybox", { config: { cmd } }), { memoryBytes: 32 * mebibyte });
}

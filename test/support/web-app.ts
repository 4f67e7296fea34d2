import { readdirSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FunctionDocument } from "@longshore/protocol";
import type { FileEntry } from "longshore/local-images";
import { ensureImage } from "./images/ensure-image.ts";
import { treeOfFolder } from "./images/folder-tree.ts";

const packages = join(import.meta.dirname, "../../packages");

/** Serves the files of `/site`. */
const server = `
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";

const types = { html: "text/html", js: "text/javascript", ts: "text/javascript" };
createServer(async (request, response) => {
  const path = new URL(request.url, "http://localhost").pathname;
  try {
    const file = await readFile("/site" + (path === "/" ? "/index.html" : path));
    response.writeHead(200, { "content-type": types[path.split(".").at(-1)] ?? "text/html" }).end(file);
  } catch {
    response.writeHead(404).end("nothing there");
  }
}).listen(process.env.PORT ?? 8080);
`;

const page = (name: string) => `<!doctype html>
<title>Tides</title>
<script type="importmap">{ "imports": { "zod": "/f/${name}/zod/index.js", "@longshore/protocol": "/f/${name}/protocol/index.ts" } }</script>
<script type="module">
  import * as sdk from "/f/${name}/sdk/index.ts";
  globalThis.sdk = sdk;
</script>
`;

/** The modules of a package as a browser loads them: its own source, without types. */
function modulesOf(name: string): Record<string, FileEntry> {
  const folder = join(packages, name, "src");
  const paths = readdirSync(folder).filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"));
  return Object.fromEntries(paths.map((path) => [`/site/${name}/${path}`, { content: stripTypeScriptTypes(readFileSync(join(folder, path), "utf8")) }]));
}

/** A web application that is itself a function: a page with the SDK, which it holds as `sdk`. */
export async function webApplication(name: string): Promise<FunctionDocument> {
  const zod = dirname(fileURLToPath(import.meta.resolve("zod", import.meta.resolve("@longshore/sdk"))));
  const files = { "/app/server.mjs": { content: server }, "/site/index.html": { content: page(name) }, ...modulesOf("sdk"), ...modulesOf("protocol"), ...treeOfFolder(zod, "/site/zod", (path) => path.endsWith(".js")) };
  const image = await ensureImage("node", { files, config: { cmd: ["node", "/app/server.mjs"], exposed: [8080] } });
  return { name, image, contract: "http", memoryBytes: 128 * 2 ** 20 };
}

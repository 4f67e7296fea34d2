import type { FunctionDocument } from "@longshore/protocol";
import { ensureImage } from "./images/ensure-image.ts";

const mebibyte = 2 ** 20;

/** A web server with a path for everything that can become of an invocation. */
const laboratory = `
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { appendFileSync } from "node:fs";

const waiting = [];
let active = 0;
let most = 0;
const server = createServer(async (request, response) => {
  const url = new URL(request.url, "http://localhost");
  const number = (name, otherwise) => Number(url.searchParams.get(name) ?? otherwise);
  active += 1;
  most = Math.max(most, active);
  response.on("close", () => { active -= 1; console.log("closed " + url.pathname); });
  switch (url.pathname) {
    case "/echo":
      response.writeHead(200, { "content-type": request.headers["content-type"] ?? "application/octet-stream", ...(request.headers["content-length"] && { "content-length": request.headers["content-length"] }) });
      request.pipe(response);
      return;
    case "/request":
      return void response.end(JSON.stringify({ method: request.method, target: request.url, headers: request.rawHeaders }));
    case "/status":
      return void response.writeHead(number("code", 200)).end("as asked");
    case "/slow":
      return void setTimeout(() => response.end(JSON.stringify({ most })), number("ms", 1000));
    case "/exit":
      console.error("leaving as asked");
      return void process.exit(number("code", 3));
    case "/signal":
      return void process.kill(process.pid, url.searchParams.get("name") ?? "SIGKILL");
    case "/eat": {
      const child = spawn(process.execPath, ["-e", "const a = []; for (;;) a.push(Buffer.alloc(8 << 20, 1))"]);
      return void child.on("exit", () => response.writeHead(500).end("the child is gone"));
    }
    case "/events":
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (let id = 1; id <= number("n", 3) && !response.destroyed; id += 1) {
        response.write("data: " + id + "\\n\\n");
        await new Promise((resolve) => setTimeout(resolve, number("ms", 200)));
      }
      return void response.end();
    case "/gate":
      response.writeHead(200).write("closed");
      waiting.push(() => { let size = 0; request.on("data", (part) => { size += part.length; }).on("end", () => response.end(String(size))); });
      return;
    case "/open":
      for (const go of waiting.splice(0)) go();
      return void response.end("open");
    case "/env":
      return void response.end(process.env[url.searchParams.get("name")] ?? "");
    case "/half":
      response.writeHead(200);
      response.write("the first half");
      return void setTimeout(() => request.socket.destroy(), 100);
    default:
      response.end("pid " + process.pid + "\\n");
  }
});
setTimeout(() => server.listen(process.env.PORT ?? 8080), Number(process.env.START_MS ?? 0));
process.on("SIGTERM", () => process.exit(0));
`;

/** A document of that web server. */
export async function laboratoryFunction(name: string, changes: Partial<FunctionDocument> = {}): Promise<FunctionDocument> {
  const image = await ensureImage("node", { files: { "/app/server.mjs": { content: laboratory } }, config: { cmd: ["node", "/app/server.mjs"], exposed: [8080] } });
  return { name, image, contract: "http", memoryBytes: 128 * mebibyte, timeoutMs: 20_000, ...changes };
}

/** A document of a command-line image that runs a shell script. */
export async function shellFunction(name: string, script: string, changes: Partial<FunctionDocument> = {}): Promise<FunctionDocument> {
  const image = await ensureImage("busybox", { config: { entrypoint: ["/bin/sh", "-c"] } });
  return { name, image, contract: "stdio", args: [script], memoryBytes: 32 * mebibyte, timeoutMs: 20_000, ...changes };
}

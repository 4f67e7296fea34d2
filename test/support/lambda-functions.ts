import type { FunctionDocument } from "@longshore/protocol";
import { ensureImage } from "./images/ensure-image.ts";
import { treeOfFolder } from "./images/folder-tree.ts";

const mebibyte = 2 ** 20;

/** What a developer writes for Lambda: a handler for each thing that can become of an invocation, in every form that Lambda takes. */
const handlers = `
import { setTimeout as pause } from "node:timers/promises";

let calls = 0;

export const echo = async (event, context) => {
  calls += 1;
  console.log("echo " + JSON.stringify(event));
  return { event, calls, pid: process.pid, requestId: context.awsRequestId, arn: context.invokedFunctionArn, remaining: context.getRemainingTimeInMillis() > 0, client: context.clientContext, memory: context.memoryLimitInMB, name: context.functionName };
};

export const called = (event, context, callback) => {
  setTimeout(() => callback(event.fail ? new Error("called back with an error") : null, "called back"), 10);
};

export const act = async (event) => {
  switch (event.do) {
    case "throw": throw new TypeError("thrown as asked");
    case "exit": process.exit(3);
    case "sleep": {
      const beganMs = Date.now();
      await pause(event.ms);
      return { beganMs, endedMs: Date.now() };
    }
    case "big": return "x".repeat(event.bytes - 2);
    default: return { pid: process.pid };
  }
};

export const streamed = awslambda.streamifyResponse(async (event, stream) => {
  for (let part = 1; part <= (event.parts ?? 3); part += 1) {
    stream.write("part " + part + "\\n");
    await pause(event.ms ?? 20);
  }
  if (event.fail) throw new RangeError("failed midway");
  stream.end();
});

export const page = awslambda.streamifyResponse(async (event, stream) => {
  const body = awslambda.HttpResponseStream.from(stream, { statusCode: 201, headers: { "content-type": "text/html" }, cookies: ["a=1"] });
  body.write("<p>" + event.rawPath + "</p>");
  body.end();
});

export const url = async (event) => ({
  statusCode: 200,
  headers: { "content-type": event.headers["content-type"] ?? "text/plain", "x-method": event.requestContext.http.method, "x-path": event.rawPath + "?" + event.rawQueryString },
  cookies: ["one=1; Expires=Wed, 01 Jan 2031 00:00:00 GMT", "two=2"],
  body: event.body ?? "",
  isBase64Encoded: event.isBase64Encoded,
});
`;

/** An image as AWS's documentation has one made: its runtime client for Node, and a module of handlers. */
export async function lambdaImage(module = handlers): Promise<string> {
  const modules = process.env["LONGSHORE_LAMBDA_RUNTIME"];
  if (modules === undefined) throw new Error("LONGSHORE_LAMBDA_RUNTIME names no node_modules with aws-lambda-ric: run npm test once, which builds it");
  const needed = (path: string) => /^(aws-lambda-ric\/(index\.mjs|package\.json|rapid-client\.node)|@aws\/)/.test(path);
  return ensureImage("node", {
    files: { ...treeOfFolder(modules, "/function/node_modules", needed), "/function/app.mjs": { content: module } },
    config: { entrypoint: ["node", "/function/node_modules/aws-lambda-ric/index.mjs"], cmd: ["app.echo"], workdir: "/function", env: { LAMBDA_TASK_ROOT: "/function" } },
  });
}

/** A function of one handler, by the default contract. */
export async function lambdaFunction(name: string, handler: string, changes: Partial<FunctionDocument> = {}): Promise<FunctionDocument> {
  return { name, image: await lambdaImage(), args: [`app.${handler}`], memoryBytes: 128 * mebibyte, timeoutMs: 20_000, ...changes };
}

/** A runtime of a developer's own, whose client gives up a poll for work after a second and asks again. */
const impatientRuntime = `
const base = "http://" + process.env.AWS_LAMBDA_RUNTIME_API + "/2018-06-01/runtime/invocation/";
for (let calls = 0, polls = 1; ; polls += 1) {
  const poll = new AbortController();
  const timer = setTimeout(() => poll.abort(), 1000);
  const next = await fetch(base + "next", { signal: poll.signal }).catch(() => undefined);
  clearTimeout(timer); // What has begun to come is read to its end.
  if (next === undefined) continue;
  const event = await next.json();
  calls += 1;
  await fetch(base + next.headers.get("lambda-runtime-aws-request-id") + "/response", { method: "POST", body: JSON.stringify({ event, calls, polls }) });
}
`;

/** A function of that runtime. */
export async function impatientLambdaFunction(name: string): Promise<FunctionDocument> {
  const image = await ensureImage("node", { files: { "/var/task/bootstrap.mjs": { content: impatientRuntime } }, config: { cmd: ["node", "/var/task/bootstrap.mjs"], env: { LAMBDA_TASK_ROOT: "/var/task" } } });
  return { name, image, memoryBytes: 96 * mebibyte, timeoutMs: 20_000 };
}

/** One whose module throws as it is loaded. */
export async function brokenLambdaFunction(name: string): Promise<FunctionDocument> {
  return { name, image: await lambdaImage('throw new SyntaxError("broken at import");'), args: ["app.echo"], memoryBytes: 128 * mebibyte, timeoutMs: 60_000 };
}

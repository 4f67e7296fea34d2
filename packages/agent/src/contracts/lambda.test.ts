import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { testImage, testRevision } from "../testing/revision.ts";
import { lambdaEnvironment } from "./lambda/environment.ts";
import { type ApiAnswer, LambdaScene } from "./lambda/testing/lambda-scene.ts";

const requestId = "0199a5a0-0000-7000-8000-000000000001";
const otherId = "0199a5a0-0000-7000-8000-000000000002";
const succeeded = { kind: "finished", result: { outcome: "succeeded", status: 200 }, reusable: true };
const mebibyte = 2 ** 20;

let scene: LambdaScene;
afterEach(() => scene.close());


async function begin(document: Parameters<typeof LambdaScene.begun>[0] = {}): Promise<{ poll: Promise<ApiAnswer> }> {
  const begun = await LambdaScene.begun(document);
  scene = begun.scene;
  return { poll: begun.poll };
}

describe("an invocation of a lambda instance", () => {
  it("is the answer to the runtime's poll, with what Lambda documents", async () => {
    const { poll } = await begin();
    const context = Buffer.from(JSON.stringify({ custom: { grün: 1 } })).toString("base64");
    scene.invoke({ body: '{"a":1}', headers: [["X-Amz-Client-Context", context]], traceparent: "00-0123456789abcdef0123456789abcdef-00f067aa0ba902b7-01", deadlineAtMs: 1_700_000_000_000.4 });
    const { status, headers, body } = await poll;
    expect([status, body.toString()]).toEqual([200, '{"a":1}']);
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "lambda-runtime-aws-request-id": requestId,
      "lambda-runtime-deadline-ms": "1700000000000",
      "lambda-runtime-invoked-function-arn": "arn:aws:lambda:us-east-1:000000000000:function:thumb",
      "lambda-runtime-trace-id": "Root=1-01234567-89abcdef0123456789abcdef;Parent=00f067aa0ba902b7;Sampled=1",
      "lambda-runtime-client-context": '{"custom":{"gr\\u00fcn":1}}',
    });
  });

  it("leaves nothing on the connection that it came by", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on("warning", onWarning);
    let { poll } = await begin();
    for (let index = 0; index < 15; index += 1) {
      const { answer } = scene.invoke({ body: "1" });
      await poll;
      await scene.respond(requestId, "1");
      await answer.ended;
      poll = scene.next();
    }
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
  });

  it("is answered by what the runtime posts, and the next one follows", async () => {
    const { poll } = await begin();
    const first = scene.invoke({ body: "1" });
    await poll;
    expect(await scene.respond(requestId, '{"ok":true}')).toMatchObject({ status: 202 });
    expect(await first.answer.ended).toEqual(succeeded);
    expect(first.answer.began).toEqual({ status: 200, headers: [["content-type", "application/json"]] });
    expect(first.answer.body.toString()).toBe('{"ok":true}');
    const second = scene.invoke({ body: "2", invocationId: otherId });
    expect((await scene.next()).body.toString()).toBe("2");
    await scene.respond(otherId, "null");
    expect(await second.answer.ended).toEqual(succeeded);
  });

  it("gets an empty object where there is no event", async () => {
    const { poll } = await begin();
    scene.invoke();
    expect((await poll).body.toString()).toBe("{}");
  });

  it("waits for the whole event", async () => {
    const { poll } = await begin();
    const { run } = scene.invoke({ body: "[1", more: true });
    run.write(Buffer.from(",2]"));
    run.endRequest();
    expect((await poll).body.toString()).toBe("[1,2]");
  });

  it("that comes before the runtime asks again waits for it", async () => {
    const { poll } = await begin();
    scene.invoke();
    await poll;
    await scene.respond(requestId, "1");
    scene.invoke({ body: '"late"', invocationId: otherId });
    expect((await scene.next()).body.toString()).toBe('"late"');
  });

  it("fails with the function's own error", async () => {
    const { poll } = await begin();
    const { answer } = scene.invoke();
    await poll;
    const error = { errorType: "TypeError", errorMessage: "x is not a function", stackTrace: ["at handler"] };
    expect(await scene.fail(requestId, error)).toMatchObject({ status: 202 });
    expect(await answer.ended).toEqual({ kind: "finished", result: { outcome: "failed", status: 502, message: "TypeError: x is not a function" }, reusable: true });
    expect(JSON.parse(answer.body.toString())).toEqual(error);
  });

  it("is broken off when the runtime exits, and was not begun when it had not been delivered", async () => {
    const { poll } = await begin();
    const delivered = scene.invoke();
    await poll;
    scene.exit(1);
    expect(await delivered.answer.ended).toEqual({ kind: "broken", message: "The runtime exited", notStarted: false });
  });

  it("that no runtime asked for was not begun when the runtime exits", async () => {
    const { poll } = await begin();
    scene.invoke();
    await poll;
    await scene.respond(requestId, "1");
    const { answer } = scene.invoke({ invocationId: otherId });
    await new Promise(setImmediate);
    scene.exit(0);
    expect(await answer.ended).toEqual({ kind: "broken", message: "The runtime exited", notStarted: true });
  });

  it.each([[6 * mebibyte, "ok"], [6 * mebibyte + 1, "too large"]] as const)("takes an event of %i bytes: %s", async (byteLength, verdict) => {
    const { poll } = await begin();
    const { answer } = scene.invoke({ body: Buffer.alloc(byteLength, " ") });
    if (verdict === "ok") return expect((await poll).body.length).toBe(byteLength);
    expect(await answer.ended).toMatchObject({ kind: "refused", reusable: true, error: { reason: "payload_too_large", field: "body" } });
    scene.invoke({ body: "1" });
    expect((await poll).body.toString()).toBe("1");
  });

  it.each([true, false])("counts an event that is streamed (length known: %s)", async (isKnown) => {
    await begin({ payloadMaxBytes: 10 });
    const { run, answer } = scene.invoke({ more: true, bodyBytes: isKnown ? 11 : undefined });
    await new Promise(setImmediate);
    if (!isKnown) run.write(Buffer.alloc(11));
    expect(await answer.ended).toMatchObject({ kind: "refused", error: { reason: "payload_too_large" } });
  });

  it("takes an answer of the limit, fails one beyond it at once, and the next is well again", async () => {
    let { poll } = await begin({ payloadMaxBytes: 100 });
    for (const [byteLength, status, outcome] of [[100, 202, "succeeded"], [101, 413, "failed"], [10, 202, "succeeded"]] as const) {
      const { answer } = scene.invoke();
      await poll;
      expect(await scene.respond(requestId, Buffer.alloc(byteLength, "x"))).toMatchObject({ status });
      const ending = await answer.ended;
      expect(ending).toMatchObject({ kind: "finished", result: { outcome }, reusable: true });
      if (outcome === "failed") expect(JSON.parse(answer.body.toString())).toMatchObject({ errorType: "Function.ResponseSizeTooLarge" });
      poll = scene.next();
        await scene.ask("GET", "/"); // Behind it: the poll is there.
    }
  });

  it("cannot switch protocols", async () => {
    await begin();
    const { answer } = scene.invoke({ upgrade: true, more: true });
    expect(await answer.ended).toMatchObject({ kind: "refused", error: { reason: "bad_header" } });
  });
});

describe("a runtime is refused", () => {
  it("a request id that is not its invocation's", async () => {
    const { poll } = await begin();
    scene.invoke();
    await poll;
    expect(await scene.respond(otherId, "1")).toMatchObject({ status: 400 });
    expect(JSON.parse((await scene.fail(otherId, {})).body.toString())).toMatchObject({ errorType: "InvalidRequestID" });
  });

  it("an answer before there was an invocation", async () => {
    await begin();
    expect(await scene.respond(requestId, "1")).toMatchObject({ status: 400 });
  });

  it("a second answer", async () => {
    const { poll } = await begin();
    const { answer } = scene.invoke();
    await poll;
    await scene.respond(requestId, '"first"');
    expect(await scene.respond(requestId, '"second"')).toMatchObject({ status: 403 });
    expect(await scene.fail(requestId, {})).toMatchObject({ status: 403 });
    expect(answer.body.toString()).toBe('"first"');
  });

  it("a poll while it has work, and one that it repeats before it has any: the later one counts", async () => {
    const { poll: first } = await begin();
    const poll = scene.next();
    expect(await first).toMatchObject({ status: 403 });
    scene.invoke();
    await poll;
    expect(await scene.next()).toMatchObject({ status: 403 });
  });

  it.each([["GET", "/"], ["POST", "/2018-06-01/runtime/invocation/next"], ["GET", "/2018-06-01/runtime/invocation/a/b/response"], ["DELETE", "/%00"]])("%s %s", async (method, path) => {
    await begin();
    expect(await scene.ask(method, path)).toMatchObject({ status: 404 });
  });

  it("a poll of an address that is no instance's", async () => {
    scene = await LambdaScene.create();
    const poll = scene.next();
    await until(() => scene.clock.pending > 0);
    scene.clock.advance(5_000);
    expect(await poll).toMatchObject({ status: 403 });
    scene.contract.release(scene.instance);
  });
});

describe("the start of a lambda instance", () => {
  it("fails with what the runtime says", async () => {
    scene = await LambdaScene.create();
    const started = scene.start();
    started.catch(() => undefined);
    const body = JSON.stringify({ errorType: "Runtime.ImportModuleError", errorMessage: "Cannot find module 'app'" });
    expect(await scene.ask("POST", "/2018-06-01/runtime/init/error", { body })).toMatchObject({ status: 202 });
    await expect(started).rejects.toMatchObject({ reason: "instance_start_failed", message: `Cannot start instance of "thumb": Runtime.ImportModuleError: Cannot find module 'app'` });
  });

  it("fails when no poll comes in time", async () => {
    scene = await LambdaScene.create();
    const waiting = new AbortController();
    const started = scene.start(waiting.signal);
    waiting.abort();
    await expect(started).rejects.toMatchObject({ reason: "instance_start_failed", message: expect.stringContaining("did not ask for work within 60000 ms") });
  });

  it("waits for a poll that came before its address was known", async () => {
    scene = await LambdaScene.create();
    const poll = scene.next();
    await until(() => scene.clock.pending > 0);
    await scene.start();
    scene.invoke({ body: "1" });
    expect((await poll).body.toString()).toBe("1");
  });

  it("waits for its extensions, which hear of invocations and of the end", async () => {
    scene = await LambdaScene.create();
    let isReady = false;
    const started = scene.start().then(() => (isReady = true));
    const registered = await scene.ask("POST", "/2020-01-01/extension/register", { body: '{"events":["INVOKE","SHUTDOWN"]}', headers: { "lambda-extension-name": "watch" } });
    expect(JSON.parse(registered.body.toString())).toEqual({ functionName: "thumb", functionVersion: "1", handler: "" });
    const headers = { "lambda-extension-identifier": String(registered.headers["lambda-extension-identifier"]) };
    const poll = scene.next();
    await scene.ask("GET", "/");
    expect(isReady).toBe(false);
    const event = () => scene.ask("GET", "/2020-01-01/extension/event/next", { headers });
    const first = event();
    await started;
    scene.invoke({ deadlineAtMs: 5 });
    await poll;
    expect(JSON.parse((await first).body.toString())).toMatchObject({ eventType: "INVOKE", requestId, deadlineMs: 5, invokedFunctionArn: expect.stringContaining("thumb"), tracing: { type: "X-Amzn-Trace-Id" } });
    await scene.respond(requestId, "1");
    const second = event();
    await scene.ask("GET", "/");
    await scene.contract.stopping?.(scene.instance);
    expect(JSON.parse((await second).body.toString())).toMatchObject({ eventType: "SHUTDOWN", shutdownReason: "spindown" });
    expect(await scene.next()).toMatchObject({ status: 403 });
  });

  it("fails when an extension gives up", async () => {
    scene = await LambdaScene.create();
    const started = scene.start();
    started.catch(() => undefined);
    const { headers } = await scene.ask("POST", "/2020-01-01/extension/register", { body: "{}", headers: { "lambda-extension-name": "watch" } });
    await scene.ask("POST", "/2020-01-01/extension/init/error", { headers: { "lambda-extension-identifier": String(headers["lambda-extension-identifier"]), "lambda-extension-function-error-type": "Extension.NoKey" } });
    await expect(started).rejects.toMatchObject({ message: expect.stringContaining('Extension.NoKey: extension "watch" gave up') });
  });

  it.each([[{}, "{}", 400], [{ "lambda-extension-name": "x" }, '{"events":["BOOM"]}', 400], [{ "lambda-extension-name": "x" }, "no json", 400]])("refuses to register an extension with %j and %s", async (headers, body, status) => {
    scene = await LambdaScene.create();
    await scene.start(AbortSignal.abort()).catch(() => undefined);
    expect(await scene.ask("POST", "/2020-01-01/extension/register", { headers, body })).toMatchObject({ status });
    expect(await scene.ask("GET", "/2020-01-01/extension/event/next")).toMatchObject({ status: 403 });
  });
});

describe("a streamed answer", () => {
  const streaming = { "lambda-runtime-function-response-mode": "streaming", "content-type": "text/plain", "transfer-encoding": "chunked" };
  const path = `/2018-06-01/runtime/invocation/${requestId}/response`;

  it("goes out as it comes, three times on one instance, even when the runtime asks again before it is told", async () => {
    let { poll } = await begin();
    for (let round = 0; round < 3; round += 1) {
      const { answer } = scene.invoke();
      await poll;
      const response = scene.open("POST", path, streaming);
      response.write("one");
      await answer.until(() => answer.body.toString() === "one");
      expect(answer.began).toEqual({ status: 200, headers: [["content-type", "text/plain"]] });
      poll = scene.next();
      await scene.ask("GET", "/");
      response.end("two");
      expect(await answer.ended).toEqual(succeeded);
      expect(answer.body.toString()).toBe("onetwo");
    }
  });

  it("is not joined by another one", async () => {
    const { poll } = await begin();
    const { answer } = scene.invoke();
    await poll;
    const response = scene.open("POST", path, streaming);
    response.write("one");
    await answer.until(() => answer.body.length > 0);
    expect(await scene.respond(requestId, '"other"')).toMatchObject({ status: 403 });
    response.end();
    expect(await answer.ended).toEqual(succeeded);
    expect(answer.body.toString()).toBe("one");
  });

  it("that fails midway is told by its trailers", async () => {
    const { poll } = await begin();
    const { answer } = scene.invoke();
    await poll;
    const response = scene.open("POST", path, { ...streaming, trailer: "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body" });
    response.write("half");
    response.addTrailers({ "Lambda-Runtime-Function-Error-Type": "Error", "Lambda-Runtime-Function-Error-Body": Buffer.from('{"errorType":"RangeError","errorMessage":"too far"}').toString("base64") });
    response.end();
    expect(await answer.ended).toEqual({ kind: "finished", result: { outcome: "failed", message: "RangeError: too far" }, reusable: true });
    expect(answer.body.toString()).toBe("half");
  });

  it("that breaks off is no whole answer", async () => {
    const { poll } = await begin();
    const { answer } = scene.invoke();
    await poll;
    const response = scene.open("POST", path, streaming);
    response.on("error", () => undefined);
    response.write("half");
    await answer.until(() => answer.body.length > 0);
    response.destroy();
    expect(await answer.ended).toMatchObject({ kind: "broken", notStarted: false });
  });

  it("waits for a slow caller", async () => {
    const { poll } = await begin();
    const { run, answer } = scene.invoke();
    await poll;
    const response = scene.open("POST", path, streaming);
    let pausedAt = -1;
    answer.onData = () => {
      if (pausedAt >= 0) return;
      run.pause();
      pausedAt = answer.byteLength;
    };
    response.write(Buffer.alloc(1_000));
    await answer.until(() => answer.byteLength > 0);
    while (response.write(Buffer.alloc(256 * 1024)));
    expect(answer.byteLength).toBeLessThan(mebibyte);
    answer.onData = () => undefined;
    run.resume();
    response.end();
    expect(await answer.ended).toEqual(succeeded);
  });

  it("to an HTTP request begins with its status and headers", async () => {
    const { poll } = await begin();
    const { answer } = scene.invoke({ viaUrl: true });
    await poll;
    const response = scene.open("POST", path, { ...streaming, "content-type": "application/vnd.awslambda.http-integration-response" });
    const prelude = JSON.stringify({ statusCode: 201, headers: { "content-type": "text/html" }, cookies: ["a=1", "b=2; Expires=Wed, 01 Jan 2031"] });
    response.write(prelude.slice(0, 10));
    response.write(`${prelude.slice(10)}\0\0\0\0`);
    response.write("\0\0\0\0<p>");
    await answer.until(() => answer.body.length > 0);
    expect(answer.began).toEqual({ status: 201, headers: [["content-type", "text/html"], ["set-cookie", "a=1"], ["set-cookie", "b=2; Expires=Wed, 01 Jan 2031"]] });
    response.end("</p>");
    expect(await answer.ended).toMatchObject({ result: { outcome: "succeeded", status: 201 } });
    expect(answer.body.toString()).toBe("<p></p>");
  });

  it.each(["no json\0\0\0\0\0\0\0\0", '{"statusCode":200}'])("to an HTTP request with a prelude like %j is a failure", async (text) => {
    const { poll } = await begin();
    const { answer } = scene.invoke({ viaUrl: true });
    await poll;
    scene.open("POST", path, { ...streaming, "content-type": "application/vnd.awslambda.http-integration-response" }).end(text);
    expect(await answer.ended).toMatchObject({ kind: "finished", result: { outcome: "failed", status: 502, message: expect.stringContaining("prelude") } });
  });
});

describe("an HTTP request", () => {
  it("is an event of payload format 2.0, and its answer is what the function describes", async () => {
    const { poll } = await begin();
    const headers = [["Host", "x.test"], ["Cookie", "a=1; b=2"], ["X-A", "1"], ["x-a", "2"], ["Content-Type", "application/json"]] as const;
    const { answer } = scene.invoke({ viaUrl: true, method: "PUT", target: "/a%2Fb//?q=1&q=2&r=%20", headers, body: '{"grün":1}' });
    const event = JSON.parse((await poll).body.toString()) as object;
    expect(event).toMatchObject({
      version: "2.0", rawPath: "/a%2Fb//", rawQueryString: "q=1&q=2&r=%20", cookies: ["a=1", "b=2"], headers: { host: "x.test", "x-a": "1,2" },
      queryStringParameters: { q: "1,2", r: " " }, body: '{"grün":1}', isBase64Encoded: false,
      requestContext: { http: { method: "PUT", path: "/a%2Fb//" }, requestId, domainName: "x.test" },
    });
    await scene.respond(requestId, JSON.stringify({ statusCode: 404, headers: { "x-b": 1 }, cookies: ["c=3"], body: "AP+ACg==", isBase64Encoded: true }));
    expect(await answer.ended).toEqual({ kind: "finished", result: { outcome: "succeeded", status: 404 }, reusable: true });
    expect(answer.began).toEqual({ status: 404, headers: [["content-type", "application/json"], ["x-b", "1"], ["set-cookie", "c=3"]] });
    expect(answer.body.equals(Buffer.from([0, 255, 128, 10]))).toBe(true);
  });

  it("carries bytes that are no text in base64", async () => {
    const { poll } = await begin();
    scene.invoke({ viaUrl: true, headers: [["content-type", "application/octet-stream"]], body: Buffer.from([0, 255, 128, 10]) });
    expect(JSON.parse((await poll).body.toString())).toMatchObject({ body: "AP+ACg==", isBase64Encoded: true });
  });

  it.each([
    ['"hello"', { outcome: "succeeded", status: 200 }],
    ['{"statusCode":500,"body":"x"}', { outcome: "failed", status: 500 }],
    ["no json", { outcome: "failed", status: 502 }],
    ['{"statusCode":9000}', { outcome: "failed", status: 502 }],
    ['{"statusCode":200,"body":{}}', { outcome: "failed", status: 502 }],
    ['{"statusCode":200,"headers":{"a":"b\\r\\nc: d"}}', { outcome: "failed", status: 502 }],
  ])("answered with %s", async (text, result) => {
    const { poll } = await begin();
    const { answer } = scene.invoke({ viaUrl: true });
    await poll;
    await scene.respond(requestId, text);
    expect(await answer.ended).toMatchObject({ kind: "finished", result, reusable: true });
  });
});

describe("between invocations", () => {
  it("the instance is frozen after a moment, and woken for the next one", async () => {
    const { poll } = await begin();
    scene.clock.advance(500);
    await until(() => scene.suspension.asked.length === 1);
    scene.invoke({ body: "1" });
    await until(() => scene.suspension.asked.length === 2);
    expect(scene.suspension.asked).toEqual(["pause", "resume"]);
    await until(() => scene.clock.pending > 0);
    scene.clock.advance(10);
    expect((await poll).body.toString()).toBe("1");
  });

  it("is not frozen while there is work", async () => {
    const { poll } = await begin();
    scene.invoke();
    await poll;
    scene.clock.advance(60_000);
    await scene.respond(requestId, "1");
    expect(scene.suspension.asked).toEqual([]);
  });

  it("a poll that the runtime gave up while it was frozen loses nothing", async () => {
    scene = await LambdaScene.create();
    const started = scene.start();
    const givenUp = new AbortController();
    void scene.next(givenUp.signal).catch(() => undefined);
    await started;
    scene.clock.advance(500);
    await until(() => scene.suspension.asked.length === 1);
    scene.invoke({ body: '"once"' });
    givenUp.abort();
    await until(() => scene.clock.pending > 0);
    const again = scene.next();
    await scene.ask("GET", "/");
    scene.clock.advance(10);
    expect((await again).body.toString()).toBe('"once"');
  });

  it("a delivery that the runtime never read is made again, and one that it read is not", async () => {
    scene = await LambdaScene.create();
    const started = scene.start();
    const first = scene.pollUnread();
    await started;
    scene.invoke({ body: '"once"' });
    await new Promise(setImmediate);
    first.destroy(); // With the delivery unread in its buffer.
    let answer = await scene.next();
    while (answer.status === 403) answer = await scene.next(); // The reset is on its way.
    expect(answer.body.toString()).toBe('"once"');
    expect(await scene.next()).toMatchObject({ status: 403 });
    await scene.respond(requestId, "1");
    const second = scene.pollUnread();
    await scene.ask("GET", "/");
    scene.invoke({ body: '"twice"', invocationId: otherId });
    second.resume();
    await once(second, "data");
    second.end();
    await once(second, "close");
    expect(await scene.next()).toMatchObject({ status: 403 });
  });

  it("a delivery that crossed the closing of its poll is made again", async () => {
    scene = await LambdaScene.create();
    const started = scene.start();
    const poll = scene.pollUnread();
    await started;
    poll.destroy(); // Nothing was unread then: the closing is on its way, and is no reset.
    scene.invoke({ body: '"once"' });
    let answer = await scene.next();
    while (answer.status === 403) answer = await scene.next();
    expect(answer.body.toString()).toBe('"once"');
  });

  it("a frozen instance is woken before its stop signal", async () => {
    await begin();
    scene.clock.advance(500);
    await until(() => scene.suspension.asked.length === 1);
    await scene.contract.stopping?.(scene.instance);
    expect(scene.suspension.asked).toEqual(["pause", "resume"]);
  });

  it("an instance that cannot be woken was given nothing", async () => {
    await begin();
    scene.clock.advance(500);
    await until(() => scene.suspension.asked.length === 1);
    scene.suspension.failure = new Error("gone");
    const { answer } = scene.invoke();
    expect(await answer.ended).toEqual({ kind: "broken", message: "The instance could not be woken", notStarted: true });
  });
});

describe("what the image's program finds in its environment", () => {
  const environment = (document: Parameters<typeof testRevision>[0], image: { entrypoint?: string[]; command?: string[] } = {}, env: string[] = []) => {
    const revision = testRevision({ name: "thumb", contract: "lambda", ...document });
    return lambdaEnvironment({ revision: { ...revision, image: { ...revision.image, ...image } }, image: testImage({ env }), runtimeApi: "172.18.0.1:9001", logStream: "2026/11/25/[1]ab" });
  };

  it("is what Lambda documents", () => {
    expect(environment({ memoryBytes: 512 * mebibyte }, { entrypoint: ["/lambda-entrypoint.sh"], command: ["app.handler"] })).toEqual([
      "AWS_LAMBDA_RUNTIME_API=172.18.0.1:9001",
      "AWS_LAMBDA_FUNCTION_NAME=thumb",
      "AWS_LAMBDA_FUNCTION_VERSION=1",
      "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512",
      "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/thumb",
      "AWS_LAMBDA_LOG_STREAM_NAME=2026/11/25/[1]ab",
      "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
      "_HANDLER=app.handler",
      "AWS_REGION=us-east-1",
      "AWS_DEFAULT_REGION=us-east-1",
      "LAMBDA_TASK_ROOT=/var/task",
      "LAMBDA_RUNTIME_DIR=/var/runtime",
      "TZ=:UTC",
      "AWS_XRAY_CONTEXT_MISSING=LOG_ERROR",
    ]);
  });

  it("leaves what the image or the document sets, where Lambda does not reserve it", () => {
    const entries = environment({ env: { AWS_REGION: "eu-central-1", TZ: "Europe/Berlin" }, args: ["other.handler"] }, { entrypoint: ["/e"], command: ["app.handler"] }, ["LAMBDA_TASK_ROOT=/function"]);
    for (const name of ["AWS_REGION", "TZ", "LAMBDA_TASK_ROOT"]) expect(entries.some((entry) => entry.startsWith(`${name}=`))).toBe(false);
    expect(entries).toContain("AWS_DEFAULT_REGION=eu-central-1");
    expect(entries).toContain("_HANDLER=other.handler");
  });
});

/** Resolves once it holds, looked at in every turn of the event loop. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate);
}

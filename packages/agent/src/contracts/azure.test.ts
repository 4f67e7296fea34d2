import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { testImage, testRevision } from "../testing/revision.ts";
import { createAzureContract } from "./azure.ts";
import { httpInstance } from "./http/testing/http-instance.ts";
import { type CallChanges, contractCall } from "./testing/contract-call.ts";
import { RecordedAnswer } from "./testing/recorded-answer.ts";

type Document = NonNullable<Parameters<typeof testRevision>[0]>;
type Handler = (request: IncomingMessage, body: string, response: ServerResponse) => void;

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const forwarding = "AzureFunctionsJobHost__customHandler__enableForwardingHttpRequest";
const contract = createAzureContract(new ManualClock());

/** A handler on this machine, and the instance that it is. */
async function scene(handle: Handler, document: Document = {}, image = testImage()) {
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text)).on("end", () => handle(request, body, response));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const revision = testRevision({ contract: "azure", port, ...document });
  const instance = { ...httpInstance(port), revision, plan: contract.plan(revision, image) };
  cleanups.push(() => new Promise((resolve) => server.close(resolve)), () => contract.release(instance));
  const call = (changes: CallChanges = {}) => {
    const answer = new RecordedAnswer();
    return { answer, run: contract.invoke(instance, contractCall(changes), answer) };
  };
  return { call, instance };
}

/** Calls a handler that answers with these bytes. */
async function answered(json: unknown, { status = 200, ...changes }: CallChanges & { status?: number } = {}, document: Document = {}) {
  const text = typeof json === "string" ? json : JSON.stringify(json);
  const { call } = await scene((_request, _body, response) => response.writeHead(status, { "content-type": "application/json" }).end(text), document);
  const { answer } = call(changes);
  const ending = await answer.ended;
  return { ending, answer, status: answer.began?.status, headers: answer.began?.headers, body: answer.body.toString() };
}

/** What a handler is sent for a call. */
async function received(changes: CallChanges, document: Document = {}) {
  let seen: { path: string | undefined; headers: IncomingMessage["headers"]; body: { Data: { req: Record<string, unknown> }; Metadata: unknown } } | undefined;
  const { call } = await scene((request, body, response) => {
    seen = { path: `${request.method} ${request.url}`, headers: request.headers, body: JSON.parse(body) as NonNullable<typeof seen>["body"] };
    response.end("{}");
  }, document);
  await call(changes).answer.ended;
  if (seen === undefined) throw new Error("Nothing came");
  return seen;
}

const failed = (message: unknown, status = 502) => ({ kind: "finished", result: { outcome: "failed", status, message }, reusable: true });

describe("the azure contract", () => {
  describe("plans a start", () => {
    const plan = (document: Document, env: string[] = []) => contract.plan(testRevision({ contract: "azure", ...document }), testImage({ env }));

    it("with the handler's port, by both its names", () => {
      expect(plan({ port: 9000 })).toEqual({ mode: "become", port: 9000, env: ["FUNCTIONS_CUSTOMHANDLER_PORT=9000", "FUNCTIONS_HTTPWORKER_PORT=9000"], forwardsRequests: false });
      expect(plan({}).port).toBe(8080);
    });

    it.each<[boolean, Document, string[]]>([
      [true, {}, [`${forwarding}=true`]],
      [true, { env: { [forwarding]: "True" } }, []],
      [true, { env: { [forwarding.toUpperCase()]: "true" } }, []],
      [true, {}, ["AzureFunctionsJobHost__customHandler__enableProxyingHttpRequest=true"]],
      [false, { env: { [forwarding]: "false" } }, [`${forwarding}=true`]],
    ])("and whether requests are forwarded: %s by %j over %j", (forwards, document, env) => {
      expect(plan(document, env).forwardsRequests).toBe(forwards);
    });

    it("or refuses a setting that is neither", () => {
      expect(() => plan({ env: { [forwarding]: "yes" } })).toThrow(expect.objectContaining({ reason: "instance_start_failed", message: expect.stringContaining(`${forwarding} is "yes"`) }));
    });
  });

  it("is ready when the handler listens", async () => {
    const { instance } = await scene(() => undefined);
    await contract.ready(instance, new AbortController().signal);
  });

  describe("puts into an envelope", () => {
    it("an HTTP request, whole", async () => {
      const { path, headers, body } = await received({
        method: "PUT",
        target: "/orders/7?a=1&a=2&b=%C3%A9",
        headers: [["host", "shop.example"], ["content-type", "application/json"], ["x-two", "1"], ["x-two", "2"], ["connection", "x"], ["X-Forwarded-Proto", "https"]],
        body: '{"id":7}',
        addedHeaders: [["longshore-invocation-id", "i"]],
      });
      expect(path).toBe("POST /resize");
      expect(headers).toMatchObject({ "content-type": "application/json; charset=utf-8", "x-azure-functions-invocationid": contractCall().invocationId, "longshore-invocation-id": "i" });
      expect(body.Data).toEqual({
        req: {
          Url: "https://shop.example/api/resize/orders/7?a=1&a=2&b=%C3%A9",
          Method: "PUT",
          Query: '{"a":"1,2","b":"é"}',
          Headers: { Host: ["shop.example"], "Content-Type": ["application/json"], "x-two": ["1", "2"], "X-Forwarded-Proto": ["https"], "longshore-invocation-id": ["i"] },
          Params: {},
          Body: '{"id":7}',
        },
      });
      expect(body.Metadata).toMatchObject({ sys: { MethodName: "resize", RandGuid: contractCall().invocationId } });
    });

    it("a request without a body, without one", async () => {
      expect((await received({})).body.Data.req).not.toHaveProperty("Body");
    });

    it.each<[string, string | undefined, Uint8Array | string, string]>([
      ["octets", "application/octet-stream", "abc", "YWJj"],
      ["several parts", "Multipart/form-data; boundary=x", "abc", "YWJj"],
      ["text that is none", "text/plain", Uint8Array.of(0xff, 0, 0x80), "/wCA"],
      ["bytes that are text", undefined, "é", "é"],
    ])("a body: %s", async (_, type, body, expected) => {
      expect((await received({ method: "POST", headers: type === undefined ? [] : [["content-type", type]], body })).body.Data.req["Body"]).toBe(expected);
    });

    it.each<[string, Document, string, string]>([
      ["/", {}, "/resize", "http://localhost/api/resize"],
      ["/?q", {}, "/resize", "http://localhost/api/resize?q"],
      ["/", { azureFunction: "HttpExample" }, "/HttpExample", "http://localhost/api/HttpExample"],
      ["/api/Other/x?q", { azureFunction: "HttpExample" }, "/Other", "http://localhost/api/Other/x?q"],
      ["/api/", {}, "/resize", "http://localhost/api/resize/api/"],
      ["/api/9", {}, "/resize", "http://localhost/api/resize/api/9"],
    ])("a call of %s with %j, for %s", async (target, document, path, url) => {
      const seen = await received({ target }, document);
      expect([seen.path, seen.body.Data.req["Url"]]).toEqual([`POST ${path}`, url]);
    });

    it("the payload of another trigger, as the Functions host does", async () => {
      const document = { azureFunction: "QueueTrigger", azureTrigger: "myQueueItem" };
      const seen = await received({ method: "POST", viaUrl: false, body: '{"a":1}' }, document);
      expect([seen.path, seen.body.Data]).toEqual(["POST /QueueTrigger", { myQueueItem: '"{\\"a\\":1}"' }]);
      expect((await received({ method: "POST", body: Uint8Array.of(0xff) }, document)).body.Data).toEqual({ myQueueItem: "/w==" });
    });

    it("a body that comes in parts", async () => {
      let sent = "";
      const { call } = await scene((_request, body, response) => {
        sent = body;
        response.end("{}");
      });
      const { run, answer } = call({ method: "POST", body: "ab", more: true });
      run.write(Buffer.from("cd"));
      run.endRequest();
      await answer.ended;
      expect((JSON.parse(sent) as { Data: { req: { Body: string } } }).Data.req["Body"]).toBe("abcd");
    });
  });

  describe("answers an HTTP request with", () => {
    it.each<[string, unknown, { status: number; headers: [string, string][]; body: string }]>([
      ["Outputs.res", { Outputs: { res: { statusCode: 201, headers: { "X-A": "1", "Set-Cookie": ["a=1", "b=2"], "Content-Length": 9, Connection: "x", "Longshore-Result": "x" }, body: "hi" } } }, { status: 201, headers: [["content-type", "text/plain; charset=utf-8"], ["X-A", "1"], ["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]], body: "hi" }],
      ["Outputs.res of other spellings", { outputs: { res: { Status: "404", Body: { no: 1 } } } }, { status: 404, headers: [["content-type", "application/json; charset=utf-8"]], body: '{"no":1}' }],
      ["Outputs.res with a type of its own", { Outputs: { res: { headers: { "Content-Type": "text/html" }, body: "<p>" } } }, { status: 200, headers: [["Content-Type", "text/html"]], body: "<p>" }],
      ["an output of another name", { Outputs: { response: { statusCode: 418 } }, ReturnValue: "x" }, { status: 418, headers: [], body: "" }],
      ["ReturnValue that describes one", { Outputs: null, ReturnValue: { statusCode: 202, body: "later" } }, { status: 202, headers: [["content-type", "text/plain; charset=utf-8"]], body: "later" }],
      ["ReturnValue that is text", { ReturnValue: "dGV4dA==" }, { status: 200, headers: [["content-type", "text/plain; charset=utf-8"]], body: "dGV4dA==" }],
      ["ReturnValue that is JSON", { ReturnValue: [1] }, { status: 200, headers: [["content-type", "application/json; charset=utf-8"]], body: "[1]" }],
      ["nothing", { Outputs: {}, Logs: null, ReturnValue: null }, { status: 204, headers: [], body: "" }],
      ["a header beyond Latin-1, as UTF-8", { Outputs: { res: { headers: { "X-A": "→" } } } }, { status: 200, headers: [["X-A", "\u00e2\u0086\u0092"]], body: "" }],
    ])("%s", async (_, json, expected) => {
      const { ending, status, headers, body } = await answered(json);
      expect({ status, headers, body }).toEqual(expected);
      expect(ending).toEqual({ kind: "finished", result: { outcome: "succeeded", status: expected.status }, reusable: true });
    });

    it("a status of its own that says it failed", async () => {
      const { ending, status, body } = await answered({ Outputs: { res: { statusCode: 503, body: "later" } } });
      expect([status, body, ending]).toEqual([503, "later", failed("The function answered 503", 503)]);
    });
  });

  it("answers another trigger with ReturnValue, else its outputs", async () => {
    const document = { azureTrigger: "item" };
    expect(await answered({ ReturnValue: "done", Outputs: { res: { statusCode: 500 } } }, {}, document)).toMatchObject({ status: 200, body: "done" });
    expect(await answered({ Outputs: { out: [1] } }, {}, document)).toMatchObject({ status: 200, body: '{"out":[1]}' });
    expect(await answered({ Outputs: {} }, {}, document)).toMatchObject({ status: 204, body: "" });
  });

  it("puts Logs into the function's log, and says which outputs went nowhere", async () => {
    const { answer } = await answered({ Logs: ["one", { two: 2 }], Outputs: { res: { body: "x" }, message: "to a queue" } });
    expect(answer.logged).toEqual({ stdout: 'one\n{"two":2}\n', stderr: 'longshore: output "message" was not delivered: no such binding here\n' });
  });

  describe("says what is wrong with", () => {
    it.each<[string, unknown, RegExp]>([
      ["no JSON", "Hello", /its answer is not JSON; .*enableForwardingHttpRequest=true/],
      ["nothing", "", /its answer is not JSON/],
      ["a list", [], /no JSON object/],
      ["another object", { hello: 1 }, /none of Outputs, Logs and ReturnValue/],
      ["outputs", { Outputs: "x" }, /Outputs is no JSON object/],
      ["logs", { Logs: "x" }, /Logs is no list/],
      ["a res", { Outputs: { res: "x" } }, /Outputs\.res is no JSON object/],
      ["a status", { Outputs: { res: { statusCode: 99 } } }, /Outputs\.res\.status/],
      ["a header's name", { Outputs: { res: { headers: { "a b": 1 } } } }, /Outputs\.res\.headers/],
      ["a header's value", { Outputs: { res: { headers: { a: "x\r\ny: z" } } } }, /header a has a control character/],
    ])("an answer: %s", async (_, json, message) => {
      const { ending, status, body } = await answered(json);
      expect(ending).toEqual(failed(expect.stringMatching(message)));
      expect([status, body]).toEqual([502, typeof json === "string" ? json : JSON.stringify(json)]);
    });

    it("a status", async () => {
      expect((await answered("oh", { status: 500 })).ending).toEqual(failed("The handler failed: it answered 500 to POST /resize"));
      expect((await answered("no", { status: 404 })).ending).toEqual(failed("The handler failed: it answered 404 to POST /resize; azureFunction names the function as the image does"));
    });

    it("an answer over the limit, and goes on", async () => {
      let size = 99;
      const { call } = await scene((_request, _body, response) => response.end(JSON.stringify({ ReturnValue: "x".repeat(size) })), { payloadMaxBytes: 100 });
      expect(await call().answer.ended).toEqual(failed(expect.stringContaining("its answer is over 100 bytes; payloadMaxBytes")));
      size = 10;
      expect(await call().answer.ended).toMatchObject({ result: { outcome: "succeeded" } });
    });

    it("a body over the limit, before the handler sees any of it", async () => {
      const { call } = await scene(() => expect.unreachable(), { payloadMaxBytes: 3 });
      const tooLarge = { kind: "refused", error: expect.objectContaining({ reason: "payload_too_large", field: "body" }), reusable: true };
      expect(await call({ method: "POST", body: "abcd" }).answer.ended).toEqual(tooLarge);
      expect(await call({ method: "POST", more: true, bodyBytes: 4 }).answer.ended).toEqual(tooLarge);
      const { answer, run } = call({ method: "POST", body: "ab", more: true });
      run.write(Buffer.from("cd"));
      run.endRequest();
      expect(await answer.ended).toEqual(tooLarge);
    });

    it("an upgrade", async () => {
      const { call } = await scene(() => expect.unreachable());
      expect(await call({ upgrade: true }).answer.ended).toMatchObject({ kind: "refused", error: { reason: "bad_header", field: "Upgrade" } });
    });

    it("a handler that goes away", async () => {
      const { call } = await scene((request) => request.socket.destroy());
      expect(await call().answer.ended).toEqual({ kind: "broken", message: "it closed the connection without an answer", notStarted: false });
    });
  });

  it("ends with its caller, and never answers then", async () => {
    const closed = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const { call } = await scene((_request, _body, response) => {
      response.on("close", () => closed.resolve());
      begun.resolve();
    });
    const { run, answer } = call();
    await begun.promise;
    run.abort();
    await closed.promise;
    expect(answer.ending).toBeUndefined();
  });

  describe("forwards", () => {
    const echo: Handler = (request, body, response) => response.writeHead(500, { "x-a": "b" }).end(`${request.method} ${request.url} ${body}`);
    const forwarded = (changes: CallChanges, document: Document = {}) => scene(echo, { env: { [forwarding]: "true" }, ...document }).then(({ call }) => call(changes).answer);

    it.each([
      ["/", {}, "/api/resize"],
      ["/x%2Fy//?q", {}, "/api/resize/x%2Fy//?q"],
      ["/api/Other?q", {}, "/api/Other?q"],
      ["/", { azureFunction: "HttpExample" }, "/api/HttpExample"],
    ])("%s with %j to %s", async (target, document, expected) => {
      const answer = await forwarded({ method: "PUT", target, body: "body" }, document);
      expect(await answer.ended).toEqual(failed("The function answered 500", 500));
      expect(answer.body.toString()).toBe(`PUT ${expected} body`);
    });

    it("HTTP alone: another trigger has its envelope", async () => {
      const answer = await forwarded({ method: "POST", body: "x" }, { azureTrigger: "item" });
      await answer.ended;
      expect(answer.body.toString()).toContain('POST /resize {"Data":{"item":"\\"x\\""}');
    });
  });
});

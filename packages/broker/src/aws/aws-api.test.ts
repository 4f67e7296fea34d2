import { GetFunctionCommand, InvokeCommand, type InvokeCommandInput, InvokeWithResponseStreamCommand, type InvokeWithResponseStreamCompleteEvent, LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { type FunctionView, type LogLine, LongshoreError, type TenantId } from "@longshore/protocol";
import { afterEach, describe, expect, it } from "vitest";
import type { BrokerParts } from "../http/handler.ts";
import { type HttpRig, startHttpRig } from "../http/testing/http-rig.ts";
import type { Script } from "../invocation/testing/fake-invoker.ts";
import { AwsError } from "./aws-error.ts";

const mebibyte = 2 ** 20;
const payloadMax = 6 * mebibyte;

/** A function as the registry shows it. */
function view(name: string, revision: number, contract: FunctionView["contract"] = "lambda"): FunctionView {
  const image = { reference: "registry.example/resize:1", digest: `sha256:${"a".repeat(64)}`, local: false, architecture: "amd64", sizeBytes: 5, entrypoint: ["/boot"], command: ["app.handler"], exposedPorts: [] };
  return { name, revision, revisionId: `${name}-r${revision}`, contract, createdAt: "2026-01-02T03:04:05.678Z", timeoutMs: 2_500, memoryBytes: 128 * mebibyte, scratchBytes: 64 * mebibyte, env: { A: "1" }, secretNames: [], resolvedImage: image } as unknown as FunctionView;
}

const functions = {
  list: () => [view("resize", 2), view("plain", 1, "http"), view("missing-now", 1)],
  view(_tenant: TenantId, name: string) {
    if (!functions.list(_tenant).some((each) => each.name === name)) throw new LongshoreError("function_not_found", `Cannot find function "${name}"`);
    return view(name, name === "resize" ? 2 : 1, name === "plain" ? "http" : "lambda");
  },
  revisions: (_tenant: TenantId, name: string) => (name === "resize" ? [view(name, 2), view(name, 1)] : [view(name, 1)]),
} as unknown as BrokerParts["functions"];

/** Lines that come one by one, later with every reading. */
function arrivingLines(lines: readonly string[]): BrokerParts["logs"] {
  let count = 0;
  return { open: () => Promise.resolve(lines.slice(0, (count += 1)).map((line, at) => ({ line, at: String(at) }) as LogLine)) };
}

describe("AWS's Lambda API", () => {
  let rig: HttpRig;
  let client: LambdaClient;
  afterEach(async () => {
    client.destroy();
    await rig.close();
  });

  async function start(scripts: Record<string, Script>, { logs = arrivingLines([]), verify = () => ({ tenantId: "acme" as TenantId }) }: { logs?: BrokerParts["logs"]; verify?: () => { tenantId: TenantId } } = {}): Promise<void> {
    rig = await startHttpRig(scripts, { parts: { functions, logs }, signatures: { verify } });
    client = new LambdaClient({ endpoint: `http://127.0.0.1:${rig.port}`, region: "eu-west-1", maxAttempts: 1, credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" } });
  }
  const invoke = (input: Partial<InvokeCommandInput> = {}) => client.send(new InvokeCommand({ FunctionName: "resize", ...input }));
  const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString();

  it("invokes a function with the event as it is, and answers with the payload, the revision that ran and the invocation's id", async () => {
    await start({ resize: async (invocation) => invocation.complete(await invocation.readAll(), { revisionId: "resize-r1", headers: [["content-type", "application/json"]] }) });
    const answer = await invoke({ Payload: '{"tide":"high"}' });
    expect(answer).toMatchObject({ StatusCode: 200, ExecutedVersion: "1", $metadata: { requestId: rig.invoker.invocations[0]?.request.invocationId } });
    expect(answer.FunctionError).toBeUndefined();
    expect(text(answer.Payload)).toBe('{"tide":"high"}');
    expect(rig.invoker.invocations[0]?.request).toMatchObject({ tenantId: "acme", functionName: "resize", request: { method: "POST", target: "/", headers: [["Content-Type", "application/json"]] } });
  });

  it.each(["resize", "resize:2", "resize:$LATEST", "resize:resize-r2", "000000000000:function:resize", "arn:aws:lambda:us-east-1:123456789012:function:resize", "arn:aws:lambda:us-east-1:123456789012:function:resize:2"])("knows a function as %s", async (name) => {
    await start({ resize: (invocation) => invocation.complete("{}") });
    expect(text((await invoke({ FunctionName: name })).Payload)).toBe("{}");
    expect(text((await invoke({ FunctionName: name, Qualifier: name.endsWith("LATEST") ? "$LATEST" : name.endsWith("r2") ? "resize-r2" : "2" })).Payload)).toBe("{}");
  });

  it.each<[what: string, input: Partial<InvokeCommandInput>, error: Record<string, unknown>]>([
    ["a function that is not there", { FunctionName: "nothing" }, { name: "ResourceNotFoundException", message: "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nothing", $metadata: { httpStatusCode: 404 } }],
    ["a revision that is not there", { Qualifier: "7" }, { name: "ResourceNotFoundException", message: expect.stringContaining("function:resize:7") }],
    ["a revision that is not the current one", { Qualifier: "1" }, { name: "InvalidParameterValueException", message: expect.stringContaining("2 is the current one") }],
    ["two qualifiers that differ", { FunctionName: "resize:1", Qualifier: "2" }, { name: "InvalidParameterValueException" }],
    ["a name that is none", { FunctionName: "re/size" }, { name: "ValidationException", message: expect.stringContaining("functionName") }],
    ["an unknown kind of call", { InvocationType: "Later" as "Event" }, { name: "ValidationException", message: expect.stringContaining("invocationType") }],
    ["an event that is not JSON", { Payload: "{tide" }, { name: "InvalidRequestContentException" }],
    ["an event of a byte more than 6 MB", { Payload: `"${"x".repeat(payloadMax - 1)}"` }, { name: "RequestTooLargeException", $metadata: { httpStatusCode: 413 } }],
    ["a client context that is no JSON", { ClientContext: Buffer.from("no").toString("base64") }, { name: "InvalidRequestContentException" }],
    ["a client context that is too large", { ClientContext: "A".repeat(3_584) }, { name: "RequestTooLargeException" }],
  ])("refuses %s before anything runs", async (_what, input, error) => {
    await start({});
    await expect(invoke(input)).rejects.toMatchObject(error);
    expect(rig.invoker.invocations).toEqual([]);
  });

  it("takes an event of 6 MB exactly, as fast as the function reads it", async () => {
    await start({ resize: async (invocation) => invocation.complete(String((await invocation.readAll()).length)) });
    expect(text((await invoke({ Payload: `"${"x".repeat(payloadMax - 2)}"` })).Payload)).toBe(String(payloadMax));
  });

  it("answers a dry run without running anything", async () => {
    await start({});
    expect((await invoke({ InvocationType: "DryRun" })).StatusCode).toBe(204);
    expect(rig.invoker.invocations).toEqual([]);
  });

  it("hands the client context on", async () => {
    await start({ resize: (invocation) => invocation.complete("{}") });
    const ClientContext = Buffer.from('{"custom":{"a":"b"}}').toString("base64");
    await invoke({ ClientContext });
    expect(rig.invoker.invocations[0]?.request.request.headers).toContainEqual(["x-amz-client-context", ClientContext]);
  });

  it("tells a function's own error as its payload", async () => {
    await start({ resize: (invocation) => invocation.complete('{"errorType":"TypeError"}', { result: { outcome: "failed", status: 502 } }) });
    const answer = await invoke();
    expect(answer).toMatchObject({ StatusCode: 200, FunctionError: "Unhandled" });
    expect(text(answer.Payload)).toBe('{"errorType":"TypeError"}');
  });

  it.each([
    [{ outcome: "timed_out" as const }, "Sandbox.Timedout", "Task timed out after 2.50 seconds"],
    [{ outcome: "failed" as const, exitCode: 3 }, "Runtime.ExitError", "exit status 3"],
    [{ outcome: "failed" as const, exitCode: 0 }, "Runtime.ExitError", "without providing a reason"],
    [{ outcome: "failed" as const, signal: "SIGSEGV" }, "Runtime.ExitError", "signal: SIGSEGV"],
    [{ outcome: "oom_killed" as const }, "Runtime.OutOfMemory", "out of memory"],
    [{ outcome: "failed" as const, message: "its connection broke" }, "Runtime.Unknown", "its connection broke"],
  ])("tells the end of a run without an answer: %j", async (result, errorType, words) => {
    await start({ resize: (invocation) => invocation.complete("", { result }) });
    const answer = await invoke();
    expect(answer.FunctionError).toBe("Unhandled");
    expect(JSON.parse(text(answer.Payload))).toEqual({ errorType, errorMessage: expect.stringContaining(words) });
    expect(text(answer.Payload)).toContain(`RequestId: ${answer.$metadata.requestId}`);
  });

  it("tells an instance that could not begin as the function's failure", async () => {
    await start({ resize: (invocation) => invocation.fail(new LongshoreError("instance_start_failed", "Runtime.ImportModuleError: nothing there")) });
    const answer = await invoke();
    expect(answer.FunctionError).toBe("Unhandled");
    expect(JSON.parse(text(answer.Payload))).toMatchObject({ errorMessage: expect.stringContaining("Runtime.ImportModuleError") });
  });

  it.each([
    [new LongshoreError("backlog_full", "too many wait", { retryAfterMs: 1_500 }), "TooManyRequestsException", 429],
    [new LongshoreError("no_agent_eligible", "no agent"), "ResourceConflictException", 409],
    [new LongshoreError("agent_lost", "gone"), "ServiceException", 500],
  ])("tells our own errors in AWS's form: %s", async (error, name, status) => {
    await start({ resize: (invocation) => invocation.fail(error) });
    await expect(invoke()).rejects.toMatchObject({ name, message: error.message, $metadata: { httpStatusCode: status } });
  });

  it("tells a run that was lost, and one that was cancelled, as no result", async () => {
    await start({ resize: (invocation) => invocation.complete("", { result: { outcome: "lost", error: new LongshoreError("agent_lost", "not heard").toShape() } }), plain: (invocation) => invocation.complete("", { result: { outcome: "cancelled" } }) });
    await expect(invoke()).rejects.toMatchObject({ name: "ServiceException", message: "not heard" });
    await expect(invoke({ FunctionName: "plain" })).rejects.toMatchObject({ name: "ServiceException", message: expect.stringContaining("cancelled") });
  });

  it("gathers a streamed answer, and ends the run of one that grows over 6 MB", async () => {
    const send = async (bytes: number, invocation: Parameters<Script>[0]) => {
      invocation.head({ status: 200 });
      for (let sent = 0; sent < bytes && invocation.cancelled === undefined; sent += mebibyte) await invocation.send(new Uint8Array(Math.min(mebibyte, bytes - sent)));
      invocation.end();
    };
    await start({ resize: (invocation) => send(payloadMax, invocation), plain: (invocation) => send(9 * mebibyte, invocation) });
    expect((await invoke()).Payload).toHaveLength(payloadMax);
    const answer = await invoke({ FunctionName: "plain" });
    expect(JSON.parse(text(answer.Payload))).toMatchObject({ errorType: "Function.ResponseSizeTooLarge" });
    expect(rig.invoker.invocations[1]?.cancelled).toBe("abandoned");
  });

  it("sends the end of the log along, once nothing more is added to it", async () => {
    await start({ resize: (invocation) => invocation.complete("{}", { runMs: 12.345, agentId: "a1" }) }, { logs: arrivingLines(["high", "tide"]) });
    const answer = await invoke({ LogType: "Tail" });
    const id = answer.$metadata.requestId;
    expect(Buffer.from(answer.LogResult ?? "", "base64").toString()).toBe(`START RequestId: ${id} Version: 2\nhigh\ntide\nEND RequestId: ${id}\nREPORT RequestId: ${id}\tDuration: 12.35 ms\tMemory Size: 128 MB\n`);
    await rig.close();
    await start({ resize: (invocation) => invocation.complete("{}") }, { logs: { open: () => Promise.resolve([{ line: "x".repeat(9_000), at: "1" } as LogLine]) } });
    expect(Buffer.from((await invoke({ LogType: "Tail" })).LogResult ?? "", "base64")).toHaveLength(4096);
  });

  it("streams an answer part by part as it is made", async () => {
    let goOn: () => void = () => undefined;
    await start({
      async resize(invocation) {
        invocation.head({ status: 200 });
        await invocation.send(Buffer.from("one "));
        await new Promise<void>((resolve) => (goOn = resolve));
        await invocation.send(Buffer.from("two"));
        invocation.end();
      },
    });
    const { EventStream: events = [], ExecutedVersion } = await client.send(new InvokeWithResponseStreamCommand({ FunctionName: "resize", Payload: "{}" }));
    const seen: string[] = [];
    for await (const event of events) {
      if (event.PayloadChunk !== undefined) seen.push(text(event.PayloadChunk.Payload));
      if (event.InvokeComplete !== undefined) seen.push(`complete ${JSON.stringify(event.InvokeComplete)}`);
      if (seen.length === 1) goOn(); // The first part came before the second was made.
    }
    expect([ExecutedVersion, ...seen]).toEqual(["2", "one ", "two", "complete {}"]);
  });

  it("tells at a streamed answer's end that it failed, and in its log what was written", async () => {
    await start(
      {
        resize(invocation) {
          invocation.head({ status: 200 });
          invocation.end({ result: { outcome: "failed", message: "RangeError: midway" } });
        },
      },
      { logs: arrivingLines(["a word"]) },
    );
    const { EventStream: events = [] } = await client.send(new InvokeWithResponseStreamCommand({ FunctionName: "resize", LogType: "Tail" }));
    let last: InvokeWithResponseStreamCompleteEvent | undefined;
    for await (const event of events) last = event.InvokeComplete;
    expect(last).toMatchObject({ ErrorCode: "Runtime.Unknown", ErrorDetails: expect.stringContaining("RangeError: midway") });
    expect(Buffer.from(last?.LogResult ?? "", "base64").toString()).toContain("\na word\n");
  });

  it("breaks a streamed answer off when its run is lost midway", async () => {
    let goOn: () => void = () => undefined;
    await start({
      async resize(invocation) {
        invocation.head({ status: 200 });
        await invocation.send(Buffer.from("one"));
        await new Promise<void>((resolve) => (goOn = resolve));
        invocation.fail(new LongshoreError("agent_lost", "not heard"));
      },
    });
    const { EventStream: events = [] } = await client.send(new InvokeWithResponseStreamCommand({ FunctionName: "resize" }));
    const read = async () => {
      for await (const event of events) if (event.PayloadChunk !== undefined) goOn();
    };
    await expect(read()).rejects.toThrow();
  });

  it("ends the run of a caller that leaves", async () => {
    await start({ resize: (invocation) => invocation.head({ status: 200 }) });
    const leaving = new AbortController();
    const answer = client.send(new InvokeCommand({ FunctionName: "resize" }), { abortSignal: leaving.signal });
    const invocation = await rig.invoker.seen();
    leaving.abort();
    await expect(answer).rejects.toMatchObject({ name: "AbortError" });
    expect(await invocation.whenCancelled()).toBe("abandoned");
  });

  it("reads and lists functions", async () => {
    await start({});
    expect(await client.send(new GetFunctionCommand({ FunctionName: "resize", Qualifier: "1" }))).toMatchObject({
      Configuration: { FunctionName: "resize", FunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:resize:1", PackageType: "Image", Timeout: 3, MemorySize: 128, Version: "1", State: "Active", Architectures: ["x86_64"], Environment: { Variables: { A: "1" } }, LastModified: "2026-01-02T03:04:05.678+0000" },
      Code: { ImageUri: "registry.example/resize:1", ResolvedImageUri: `registry.example/resize@sha256:${"a".repeat(64)}` },
    });
    const first = await client.send(new ListFunctionsCommand({ MaxItems: 2 }));
    expect(first.Functions?.map(({ FunctionName }) => FunctionName)).toEqual(["missing-now", "plain"]);
    const rest = await client.send(new ListFunctionsCommand({ MaxItems: 2, Marker: first.NextMarker }));
    expect(rest.Functions?.map(({ FunctionName }) => FunctionName)).toEqual(["resize"]);
    expect(rest.NextMarker).toBeUndefined();
  });

  it("answers with a refusal of the signature, in AWS's form", async () => {
    const verify = () => {
      throw new AwsError("InvalidSignatureException", 403, "The request signature we calculated does not match");
    };
    await start({}, { verify });
    await expect(invoke()).rejects.toMatchObject({ name: "InvalidSignatureException", $metadata: { httpStatusCode: 403 } });
  });

  it("names what it has not", async () => {
    await start({});
    const answer = await rig.send({ method: "POST", path: "/2015-03-31/functions/resize/versions" });
    expect([answer.status, answer.headers["x-amzn-errortype"], answer.json()["message"]]).toEqual([404, "UnknownOperationException", expect.stringContaining("longshore deploy")]);
    expect(answer.headers["x-amzn-requestid"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("takes one of our own keys, and no unknown one", async () => {
    await start({ resize: (invocation) => invocation.complete("{}") });
    const ask = (authorization: string) => rig.send({ method: "POST", path: "/2015-03-31/functions/resize/invocations", headers: { authorization } });
    expect((await ask("Bearer lsk_good")).status).toBe(200);
    const refused = await ask("Bearer lsk_bad");
    expect([refused.status, refused.headers["x-amzn-errortype"]]).toEqual([403, "UnrecognizedClientException"]);
  });
});

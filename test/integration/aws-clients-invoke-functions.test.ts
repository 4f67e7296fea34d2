import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { join } from "node:path";
import { GetFunctionCommand, InvokeCommand, type InvokeCommandInput, InvokeWithResponseStreamCommand, LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import type { AwsKey } from "@longshore/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { shellFunction } from "../support/functions.ts";
import { brokenLambdaFunction, lambdaFunction } from "../support/lambda-functions.ts";

const run = promisify(execFile);
const payloadMax = 6 * 2 ** 20;
const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString();

describe("AWS's own clients", () => {
  let test: TestFleet;
  let key: AwsKey;
  let home: string;
  let client: LambdaClient;
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "longshore-aws-"));
    test = await startFleet({ brokers: 2 });
    for (const handler of ["echo", "act", "streamed"]) await test.fleet.deploy(await lambdaFunction(handler, handler));
    key = await test.fleet.awsKeys.create();
    client = clientOf(key);
  });
  afterAll(async () => {
    client.destroy();
    await test.close();
    rmSync(home, { recursive: true, force: true });
  });

  const clientOf = (credentials: AwsKey, endpoint = test.url) => new LambdaClient({ endpoint, region: "eu-central-1", credentials, maxAttempts: 1 });
  const invoke = (FunctionName: string, event: unknown, changes: Partial<InvokeCommandInput> = {}) => client.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event), ...changes }));
  const failureOf = async (name: string, event: unknown) => {
    const { FunctionError, Payload } = await invoke(name, event);
    return { FunctionError, ...(JSON.parse(text(Payload)) as { errorType: string; errorMessage: string }) };
  };
  /** Debian's command line, as a person would call it. */
  const aws = (words: readonly string[], { secretAccessKey = key.secretAccessKey }: { secretAccessKey?: string } = {}) => {
    const command = process.env["LONGSHORE_AWS_CLI"];
    if (command === undefined) throw new Error("LONGSHORE_AWS_CLI names no AWS command line: run npm test once, which installs it");
    const env = { PATH: process.env["PATH"], HOME: home, AWS_PAGER: "", AWS_MAX_ATTEMPTS: "1", AWS_DEFAULT_REGION: "us-east-1", AWS_ACCESS_KEY_ID: key.accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    return run(command, ["lambda", ...words, "--endpoint-url", test.url, "--cli-binary-format", "raw-in-base64-out"], { env });
  };

  it("invoke from a shell, and print the answer and its log", async () => {
    const words = ["invoke", "--function-name", "echo", "--payload", '{"tide":"high"}', "--log-type", "Tail", "--query", "LogResult", "--output", "text", join(home, "answer.json")];
    let log = "";
    // Output travels apart from answers, and on a busy machine later than a broker waits for it.
    for (let attempt = 0; attempt < 5 && !log.includes("tide"); attempt += 1) {
      const { stdout } = await aws(words);
      expect(JSON.parse(readFileSync(join(home, "answer.json"), "utf8"))).toMatchObject({ event: { tide: "high" }, name: "echo" });
      log = Buffer.from(stdout, "base64").toString();
    }
    expect(log).toMatch(/^START RequestId: \S+ Version: 1\n(?:.*\n)*.*echo {"tide":"high"}\n(?:.*\n)*END RequestId: \S+\nREPORT RequestId: \S+\tDuration: [\d.]+ ms\tMemory Size: 128 MB\n$/);
  });

  it("are refused with a wrong secret, from a shell and from a program", async () => {
    await expect(aws(["invoke", "--function-name", "echo", "/dev/null"], { secretAccessKey: "wrong" })).rejects.toMatchObject({ stderr: expect.stringContaining("InvalidSignatureException") });
    const wrong = clientOf({ ...key, secretAccessKey: "wrong" });
    await expect(wrong.send(new InvokeCommand({ FunctionName: "echo" }))).rejects.toMatchObject({ name: "InvalidSignatureException" });
    wrong.destroy();
  });

  it.each(["plant", "cloud"])("reach the handler at %s, with their context", async (site) => {
    const there = clientOf(key);
    there.middlewareStack.add((next) => (args) => {
      (args.request as { headers: Record<string, string> }).headers["longshore-where"] = `site=${site}`;
      return next(args);
    }, { step: "build" });
    const ClientContext = Buffer.from('{"custom":{"ship":"é"}}').toString("base64");
    const answer = await there.send(new InvokeCommand({ FunctionName: "arn:aws:lambda:eu-central-1:000000000000:function:echo", Qualifier: "$LATEST", Payload: '{"tide":"low"}', ClientContext }));
    there.destroy();
    expect(answer).toMatchObject({ StatusCode: 200, ExecutedVersion: "1" });
    expect(JSON.parse(text(answer.Payload))).toMatchObject({ event: { tide: "low" }, client: { custom: { ship: "é" } }, requestId: answer.$metadata.requestId });
    const ran = await test.fleet.invocation(answer.$metadata.requestId ?? "").status();
    expect(ran).toMatchObject({ state: "finished", record: { siteId: site } });
  });

  it("get a streamed answer part by part while it is being made", async () => {
    const answer = await client.send(new InvokeWithResponseStreamCommand({ FunctionName: "streamed", Payload: '{"parts":3,"ms":2000}' }));
    const parts: string[] = [];
    for await (const { PayloadChunk, InvokeComplete } of answer.EventStream ?? []) {
      if (PayloadChunk !== undefined && parts.length === 0) expect(await test.fleet.invocation(answer.$metadata.requestId ?? "").status()).toMatchObject({ state: "running" });
      parts.push(PayloadChunk === undefined ? JSON.stringify(InvokeComplete) : text(PayloadChunk.Payload));
    }
    expect(parts.join("")).toBe("part 1\npart 2\npart 3\n{}");
    const broken = await client.send(new InvokeWithResponseStreamCommand({ FunctionName: "streamed", Payload: '{"fail":true}' }));
    let last: unknown;
    for await (const event of broken.EventStream ?? []) last = event.InvokeComplete;
    expect(last).toMatchObject({ ErrorDetails: expect.stringContaining("RangeError: failed midway") });
  });

  it("are told how a handler failed", async () => {
    expect(await failureOf("act", { do: "throw" })).toMatchObject({ FunctionError: "Unhandled", errorType: "TypeError", errorMessage: "thrown as asked" });
    expect(await failureOf("act", { do: "exit" })).toMatchObject({ FunctionError: "Unhandled", errorType: "Runtime.ExitError", errorMessage: expect.stringContaining("exit status 3") });
    await test.fleet.deploy(await brokenLambdaFunction("broken"));
    expect(await failureOf("broken", {})).toMatchObject({ FunctionError: "Unhandled", errorMessage: expect.stringContaining("broken at import") });
    await test.fleet.deploy(await lambdaFunction("slow", "act", { timeoutMs: 10_000 }));
    await invoke("slow", {}); // The limit counts from the call on: a start of its own would take from it.
    expect(await failureOf("slow", { do: "sleep", ms: 60_000 })).toMatchObject({ FunctionError: "Unhandled", errorType: "Sandbox.Timedout", errorMessage: expect.stringContaining("timed out after 10.00 seconds") });
  });

  it("may send and get 6 MB, and not a byte more", async () => {
    const event = (bytes: number) => `{"pad":"${"x".repeat(bytes - 10)}"}`;
    expect((await client.send(new InvokeCommand({ FunctionName: "act", Payload: event(payloadMax) }))).FunctionError).toBeUndefined();
    await expect(client.send(new InvokeCommand({ FunctionName: "act", Payload: event(payloadMax + 1) }))).rejects.toMatchObject({ name: "RequestTooLargeException" });
    expect((await invoke("act", { do: "big", bytes: payloadMax })).Payload).toHaveLength(payloadMax);
    expect(await failureOf("act", { do: "big", bytes: payloadMax + 1 })).toMatchObject({ errorType: "Function.ResponseSizeTooLarge" });
  });

  it("may ask whether they could, and have a function run later", async () => {
    expect((await invoke("echo", {}, { InvocationType: "DryRun" })).StatusCode).toBe(204);
    const later = await invoke("echo", { word: "later" }, { InvocationType: "Event" });
    expect([later.StatusCode, later.Payload?.length ?? 0]).toEqual([202, 0]);
    const id = later.$metadata.requestId ?? "";
    let record: { result?: { outcome: string } } | undefined;
    while (record === undefined) record = ((await (await fetch(`${test.url}/v1/invocations/${id}?waitMs=20000`)).json()) as { record?: typeof record }).record;
    expect(record.result?.outcome).toBe("succeeded");
    expect(await (await fetch(`${test.url}/v1/invocations/${id}/result`)).json()).toMatchObject({ event: { word: "later" } });
    await expect(invoke("echo", {}, { Qualifier: "9" })).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    await expect(invoke("nothing", {})).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });

  it("invoke functions of other contracts, and read and list them all", async () => {
    await test.fleet.deploy(await shellFunction("upper", "tr a-z A-Z"));
    expect(text((await client.send(new InvokeCommand({ FunctionName: "upper", Payload: "high tide" }))).Payload)).toBe("HIGH TIDE");
    expect(await client.send(new GetFunctionCommand({ FunctionName: "echo" }))).toMatchObject({ Configuration: { FunctionName: "echo", MemorySize: 128, Timeout: 20, PackageType: "Image" } });
    const { Functions } = await client.send(new ListFunctionsCommand({}));
    const { stdout } = await aws(["list-functions", "--query", "Functions[].FunctionName", "--output", "text"]);
    expect(stdout.trim().split(/\s+/)).toEqual(Functions?.map(({ FunctionName }) => FunctionName));
    expect((await aws(["get-function", "--function-name", "echo", "--query", "Configuration.State", "--output", "text"])).stdout).toBe("Active\n");
  });

  it("are refused once their key is deleted, by every broker", async () => {
    const gone = await test.fleet.awsKeys.create();
    const [here, there] = test.urls.map((url) => clientOf(gone, url));
    const ask = async (from: LambdaClient | undefined) => (await from?.send(new InvokeCommand({ FunctionName: "echo", Payload: "{}" })))?.StatusCode;
    // Every broker hears of a key, and of its end, by the bus.
    while (await ask(there).then(() => false, () => true)) continue;
    await test.fleet.awsKeys.remove(gone.accessKeyId);
    await expect(ask(here)).rejects.toMatchObject({ name: "UnrecognizedClientException" });
    while (await ask(there).then(() => true, () => false)) continue;
    await expect(ask(there)).rejects.toMatchObject({ name: "UnrecognizedClientException" });
    for (const each of [here, there]) each?.destroy();
  });
});

import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { docker } from "../support/agent-engine.ts";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { untilFrozen } from "../support/frozen.ts";
import { brokenLambdaFunction, impatientLambdaFunction, lambdaFunction } from "../support/lambda-functions.ts";

const mebibyte = 2 ** 20;

describe("images with AWS's runtime client", () => {
  let test: TestFleet;
  beforeAll(async () => {
    test = await startFleet();
    for (const handler of ["echo", "act", "streamed", "page", "url"]) await test.fleet.deploy(await lambdaFunction(handler, handler));
  });
  afterAll(() => test.close());

  const call = async (name: string, event: unknown, where?: string) => {
    const answer = await test.fleet.call(name, JSON.stringify(event), { ...(where !== undefined && { where }) });
    const body = await answer.text();
    return { body, result: await answer.result, start: answer.start, status: answer.status };
  };

  it("are recognised", async () => {
    const views = await test.fleet.list();
    expect(views.map(({ contract }) => contract)).toEqual(views.map(() => "lambda"));
  });

  it.each(["plant", "cloud"])("answer from %s, with the context that Lambda gives", async (site) => {
    const { body, result } = await call("echo", { tide: "high" }, `site=${site}`);
    expect(result).toMatchObject({ outcome: "succeeded", status: 200 });
    expect(JSON.parse(body)).toMatchObject({ event: { tide: "high" }, remaining: true, arn: "arn:aws:lambda:us-east-1:000000000000:function:echo", memory: "128", name: "echo", requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  });

  it("never have two invocations at once on an instance, and serve one after the other", async () => {
    const runs = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const answer = await test.fleet.call("act", '{"do":"sleep","ms":400}', { where: "site=plant" });
        const { beganMs, endedMs } = (await answer.json()) as { beganMs: number; endedMs: number };
        const view = await test.fleet.invocation(answer.invocationId).status();
        return { beganMs, endedMs, instanceId: view.state === "finished" ? view.record.instanceId : undefined };
      }),
    );
    const instances = Map.groupBy(runs, ({ instanceId }) => instanceId);
    expect(instances.has(undefined)).toBe(false);
    for (const served of instances.values()) {
      const inOrder = served.toSorted((a, b) => a.beganMs - b.beganMs);
      for (const [at, next] of inOrder.slice(1).entries()) expect(next.beganMs).toBeGreaterThanOrEqual(inOrder[at]?.endedMs ?? 0);
    }
  });

  it("that throw fail with their own error as the answer, and go on", async () => {
    const { body, result } = await call("act", { do: "throw" }, "site=plant");
    expect(result).toMatchObject({ outcome: "failed", message: "TypeError: thrown as asked" });
    expect(JSON.parse(body)).toMatchObject({ errorType: "TypeError", errorMessage: "thrown as asked", trace: expect.any(Array) });
    expect(await call("act", {}, "site=plant")).toMatchObject({ result: { outcome: "succeeded" }, start: "warm" });
  });

  it("that exit are told at once, not at their time limit", async () => {
    expect((await call("act", { do: "exit" })).result).toMatchObject({ outcome: "failed", exitCode: 3 });
  });

  it("that sleep past their limit are timed out, and their instance is gone", async () => {
    await call("act", {}, "site=plant"); // The limit counts from the call on: a start of its own would take from it.
    const answer = await test.fleet.call("act", '{"do":"sleep","ms":60000}', { timeoutMs: 5_000, where: "site=plant" });
    await answer.bytes().catch(() => undefined);
    expect(await answer.result).toMatchObject({ outcome: "timed_out" });
  });

  it("that cannot be loaded fail to start with what they say", async () => {
    await test.fleet.deploy(await brokenLambdaFunction("broken"));
    await expect(test.fleet.invoke("broken", "{}")).rejects.toMatchObject({ reason: "instance_start_failed", phase: "startup", message: expect.stringContaining("broken at import") });
    // AWS's client takes no callbacks from Node 24 on, and says so.
    await test.fleet.deploy(await lambdaFunction("called", "called"));
    await expect(test.fleet.invoke("called", "{}")).rejects.toMatchObject({ reason: "instance_start_failed", message: expect.stringContaining("Runtime.CallbackHandlerDeprecated") });
  });

  it.each([[6 * mebibyte, "succeeded"], [6 * mebibyte + 1, "failed"], [10, "succeeded"]])("answer with %i bytes: %s", async (bytes, outcome) => {
    const { body, result } = await call("act", { do: "big", bytes }, "site=plant");
    expect(result.outcome).toBe(outcome);
    if (outcome === "succeeded") expect(body.length).toBe(bytes);
    else expect(result.message).toContain("Function.ResponseSizeTooLarge");
  });

  it("stream part by part, again and again, and say when they fail midway", async () => {
    for (let round = 0; round < 3; round += 1) {
      const answer = await test.fleet.call("streamed", "{}", { where: "site=plant" });
      expect(await answer.text()).toBe("part 1\npart 2\npart 3\n");
    }
    const broken = await test.fleet.call("streamed", '{"fail":true}', { where: "site=plant" });
    await expect(broken.bytes()).rejects.toMatchObject({ reason: "body_incomplete" });
    expect(await broken.result).toMatchObject({ outcome: "failed", message: "RangeError: failed midway" });
  });

  it("are web servers by their function URL", async () => {
    const answer = await fetch(`${test.url}/f/url/a%2Fb//?q=1&q=2`, { method: "PUT", body: Uint8Array.of(0, 255, 128, 10), headers: { "content-type": "application/octet-stream" } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-path")).toBe("/a%2Fb//?q=1&q=2");
    expect(answer.headers.get("x-method")).toBe("PUT");
    expect(answer.headers.getSetCookie()).toEqual(["one=1; Expires=Wed, 01 Jan 2031 00:00:00 GMT", "two=2"]);
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(Uint8Array.of(0, 255, 128, 10));
    const page = await fetch(`${test.url}/f/page/tides`);
    expect([page.status, page.headers.get("content-type"), await page.text()]).toEqual([201, "text/html", "<p>/tides</p>"]);
  });

  it("are frozen when they rest, and woken by the next call", async () => {
    await call("echo", 1, "site=plant");
    await untilFrozen("echo-r1");
    const { start, body } = await call("echo", 2, "site=plant");
    expect([start, (JSON.parse(body) as { event: number }).event]).toEqual(["warm", 2]);
  });

  it("are given each call once, though their client gave up its poll while they were frozen", async () => {
    await test.fleet.deploy(await impatientLambdaFunction("impatient"));
    for (let calls = 1; calls <= 3; calls += 1) {
      const { body, result } = await call("impatient", { calls }, "site=plant");
      expect(result).toMatchObject({ outcome: "succeeded" });
      expect(JSON.parse(body)).toMatchObject({ event: { calls }, calls });
      await untilFrozen("impatient-r1");
      await setTimeout(1500); // Longer than the client waits for an answer to its poll: that is what is tried.
    }
  });

  it("leave nothing behind when they are removed while they are frozen", async () => {
    await test.fleet.deploy(await lambdaFunction("short-lived", "echo"));
    await call("short-lived", 1, "site=plant");
    await untilFrozen("short-lived-r1");
    await test.fleet.remove("short-lived");
    const left = async () => (await docker.listContainers({ all: true, filters: { label: ["longshore.revision=short-lived-r1"] } })).length;
    while ((await left()) > 0) continue;
  });

  it("write logs that bear the invocation's id", async () => {
    const answer = await test.fleet.call("echo", '"said"', { where: "site=plant" });
    await answer.bytes();
    for await (const { line, invocationId } of test.fleet.logs("echo", { follow: true })) { // Output travels apart from answers.
      if (!line.includes('echo "said"')) continue;
      expect(invocationId).toBe(answer.invocationId);
      break;
    }
  });
});

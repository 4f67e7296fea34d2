import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Fleet, MapResult } from "@longshore/sdk";
import { expect, it } from "vitest";
import { startFleet } from "../support/fleet.ts";
import { laboratoryFunction, shellFunction } from "../support/functions.ts";

const run = promisify(execFile);
const longshore = join(import.meta.dirname, "../../packages/cli/bin/longshore.mjs");

/** How often the laboratory was asked for its front page, by what it wrote: one line each. */
async function runsOf(fleet: Fleet, name: string): Promise<number> {
  let count = 0;
  for await (const { line } of fleet.logs(name, { tail: 10_000 })) if (line === "closed /") count += 1;
  return count;
}

it("a program has work accepted, follows it to its end, and reads what came of it", async () => {
  await using test = await startFleet({ sites: ["plant"], brokers: 2 });
  const { fleet } = test;
  await fleet.deploy(await laboratoryFunction("lab"));
  await fleet.deploy(await shellFunction("sleep", "read seconds; sleep $seconds; echo slept", { network: "none", stopGraceMs: 500, timeoutMs: 600_000 }));

  const handle = await fleet.enqueue("sleep", "2\n", { where: { site: "plant" } });
  const seen: string[] = [];
  for await (const view of handle) seen.push(view.state === "finished" ? view.record.result.outcome : view.state);
  expect([seen.at(0), seen.at(-1)]).toEqual([expect.stringMatching(/waiting|running/), "succeeded"]);
  expect(seen).toContain("running");
  expect(await handle.text()).toBe("slept\n");
  expect(await handle.ended()).toMatchObject({ attempt: 1, invocationId: handle.invocationId });

  // Cancelled: one that waits, one that runs.
  const later = await fleet.enqueue("sleep", "600\n", { delayMs: 600_000 });
  const running = await fleet.enqueue("sleep", "600\n");
  for await (const { state } of running) if (state === "running") break;
  for (const each of [later, running]) {
    await each.cancel();
    expect(await each.ended()).toMatchObject({ result: { outcome: "cancelled" } });
  }

  // Under a key: once, however often and whichever way.
  const [one, other] = await Promise.all([fleet.enqueue("lab", "7", { idempotencyKey: "order-7" }), fleet.enqueue("lab", "7", { idempotencyKey: "order-7" })]);
  expect(one.invocationId).toBe(other.invocationId);
  await one.ended();
  const answers = await Promise.all([1, 2, 3].map(() => fleet.invoke("lab", "7", { idempotencyKey: "order-7" })));
  expect(new Set(answers.map((answer) => new TextDecoder().decode(answer as Uint8Array)))).toEqual(new Set([await one.text()]));
  await expect(fleet.invoke("lab", "8", { idempotencyKey: "order-7" })).rejects.toMatchObject({ reason: "idempotency_mismatch" });

  // The longest body, and an hour that has not come.
  expect(await (await fleet.enqueue("lab", new Uint8Array(256 * 1024))).ended()).toMatchObject({ result: { outcome: "succeeded" }, payloadBytes: 256 * 1024 });
  const notBefore = new Date(Date.now() + 3_600_000);
  const tomorrow = await fleet.enqueue("lab", "x", { notBefore, maxAgeMs: 60_000 });
  expect(await tomorrow.status()).toMatchObject({ state: "waiting", notBefore: notBefore.toISOString(), expiresAt: new Date(notBefore.getTime() + 60_000).toISOString() });
  await tomorrow.cancel();
});

it("inputs by the hundred are mapped, stopped half way, and taken up again without a second run", async () => {
  await using test = await startFleet({ sites: ["plant"], brokers: 2 });
  const { fleet } = test;
  await fleet.deploy(await laboratoryFunction("lab"));
  const inputs = Array.from({ length: 300 }, (_, index) => `input ${index}`);
  const before = new Map<number, MapResult<string>>();
  const killed = new AbortController();
  const first = async () => {
    for await (const result of fleet.map("lab", inputs, { mapId: "night", concurrency: 100, signal: killed.signal })) {
      before.set(result.index, result);
      if (before.size === 120) killed.abort();
    }
  };
  await expect(first()).rejects.toMatchObject({ reason: "caller_gone" });
  expect(before.size).toBeLessThan(300);

  const after = new Map<number, MapResult<string>>();
  let told: unknown;
  for await (const result of fleet.map("lab", inputs, { mapId: "night", concurrency: 100, onProgress: (progress) => (told = progress) })) after.set(result.index, result);
  expect([...after.keys()].toSorted((one, other) => one - other)).toEqual(inputs.map((_, index) => index));
  expect([...after.values()].filter(({ error }) => error !== undefined)).toEqual([]);
  expect(told).toEqual({ accepted: 300, succeeded: 300, failed: 0, total: 300 });
  for (const [index, result] of before) expect(after.get(index)).toEqual(result);
  await expect.poll(() => runsOf(fleet, "lab"), { timeout: 20_000 }).toBeGreaterThanOrEqual(300);
  expect(await runsOf(fleet, "lab")).toBe(300);
});

it("the command line has work accepted, waits for it, and maps lines", async () => {
  await using test = await startFleet({ sites: ["plant"] });
  await test.fleet.deploy(await shellFunction("count", "read word; [ $word = bad ] && exit 3; echo $word | wc -c", { network: "none", retry: "never" }));
  const command = async (words: readonly string[], input = "") => {
    const running = run(process.execPath, [longshore, ...words], { env: { ...process.env, LONGSHORE_URL: test.url } });
    running.child.stdin?.end(input);
    return running.then(({ stdout, stderr }) => ({ code: 0, stdout, stderr }), (error: unknown) => error as { code: number; stdout: string; stderr: string });
  };
  const id = (await command(["invoke", "count", "--async", "--key", "k"], "four\n")).stdout.trim();
  expect(await command(["invocation", "wait", id])).toMatchObject({ code: 0, stdout: expect.stringContaining("succeeded") });
  expect((await command(["invocation", "result", id])).stdout).toBe("5\n");
  expect((await command(["invoke", "count", "--key", "k"], "four\n")).stdout).toBe("5\n");
  const delayed = (await command(["invoke", "count", "--async", "--delay", "10m", "--json"], "x\n")).stdout;
  const { invocationId } = JSON.parse(delayed) as { invocationId: string };
  expect((await command(["invocation", "show", invocationId])).stdout).toMatch(/state +waiting\n/);
  await command(["invocation", "cancel", invocationId]);
  expect(await command(["invocation", "wait", invocationId])).toMatchObject({ code: 130 });

  const mapped = await command(["map", "count", "--lines"], "one\nbad\nthree\n");
  expect([mapped.code, mapped.stderr]).toEqual([1, ""]);
  const results = mapped.stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as { index: number });
  expect(results.toSorted((one, other) => one.index - other.index)).toMatchObject([
    { index: 0, outcome: "succeeded", value: "4\n" },
    { index: 1, outcome: "failed", error: { reason: "failed", message: expect.stringContaining("exit code 3") } },
    { index: 2, outcome: "succeeded", value: "6\n" },
  ]);
});

import { createInvocationId } from "@longshore/protocol";
import { expect, it } from "vitest";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { laboratoryFunction, shellFunction } from "../support/functions.ts";

interface View {
  readonly state: string;
  readonly attempt?: number;
  readonly record?: { readonly result: { readonly outcome: string; readonly message?: string }; readonly attempt: number; readonly past?: unknown[] };
}

/** Submits one, and gives its status and document. */
async function submit({ url }: Pick<TestFleet, "url">, name: string, { query = "", headers = {}, body = "payload" }: { query?: string; headers?: Record<string, string>; body?: string | Uint8Array<ArrayBuffer> } = {}) {
  const answer = await fetch(`${url}/v1/functions/${name}/invocations?mode=async${query}`, { method: "POST", body, headers });
  return { status: answer.status, headers: answer.headers, document: (await answer.json()) as Record<string, unknown> };
}

const view = async (url: string, id: string, waitMs = 0) => (await (await fetch(`${url}/v1/invocations/${id}?waitMs=${waitMs}`)).json()) as View;

async function ended(url: string, id: string): Promise<Required<View>["record"]> {
  for (;;) {
    const { record } = await view(url, id, 30_000);
    if (record !== undefined) return record;
  }
}

it("work is accepted by one broker, run by an agent, and its record and answer are read at any", async () => {
  await using fleet = await startFleet({ sites: ["plant"], brokers: 2 });
  await fleet.fleet.deploy(await laboratoryFunction("lab"));
  const other = fleet.urls[1] ?? "";

  const invocationId = createInvocationId();
  const accepted = await submit(fleet, "lab", { headers: { "longshore-invocation-id": invocationId } });
  expect(accepted).toMatchObject({ status: 202, document: { invocationId, functionName: "lab" } });
  expect(accepted.headers.get("location")).toBe(`/v1/invocations/${invocationId}`);
  expect(await ended(other, invocationId)).toMatchObject({ attempt: 1, result: { outcome: "succeeded" } });
  const result = await fetch(`${other}/v1/invocations/${invocationId}/result`);
  expect([result.status, result.headers.get("longshore-result"), await result.text()]).toMatchObject([200, "succeeded", expect.stringMatching(/^pid/)]);

  // The same again is the same; another body under its id is refused.
  const again = await submit(fleet, "lab", { headers: { "longshore-invocation-id": invocationId } });
  expect([again.status, again.headers.get("longshore-replayed"), again.document]).toMatchObject([202, "true", { state: "finished" }]);
  expect(await submit({ url: other }, "lab", { headers: { "longshore-invocation-id": invocationId }, body: "another" })).toMatchObject({ status: 409, document: { reason: "invocation_exists" } });

  // Two hundred at once, through both brokers.
  const ids = await Promise.all(Array.from({ length: 200 }, async (_, index) => String((await submit({ url: fleet.urls[index % 2] ?? "" }, "lab", { body: `payload ${index}` })).document["invocationId"])));
  const records = await Promise.all(ids.map((id, index) => ended(fleet.urls[(index + 1) % 2] ?? "", id)));
  expect(records.map(({ result, attempt }) => [result.outcome, attempt])).toEqual(records.map(() => ["succeeded", 1]));
});

it("work that waits is cancelled before it begins, and work that runs once its program is stopped", async () => {
  await using fleet = await startFleet({ sites: ["plant"] });
  await fleet.fleet.deploy(await laboratoryFunction("lab", { contract: "stdio", command: ["node"], args: ["-e", "setTimeout(() => {}, 600_000)"], image: (await laboratoryFunction("lab")).image, timeoutMs: 300_000, stopGraceMs: 500 }));
  const later = String((await submit(fleet, "lab", { query: "&delayMs=600000" })).document["invocationId"]);
  const running = String((await submit(fleet, "lab")).document["invocationId"]);
  while ((await view(fleet.url, running)).state !== "running") await new Promise((resolve) => setTimeout(resolve, 20));
  for (const id of [later, running]) expect((await fetch(`${fleet.url}/v1/invocations/${id}`, { method: "DELETE" })).status).toBe(202);
  expect(await ended(fleet.url, later)).toMatchObject({ result: { outcome: "cancelled" } });
  expect(await ended(fleet.url, running)).toMatchObject({ result: { outcome: "cancelled" } });
});

it("calls with one Idempotency-Key run once, whichever broker they come by, and have the same answer", async () => {
  await using fleet = await startFleet({ sites: ["plant"], brokers: 2 });
  await fleet.fleet.deploy(await laboratoryFunction("lab"));
  const call = (index: number, body = "order 7", key = "order-7") => fetch(`${fleet.urls[index % 2]}/f/lab/echo?n=1`, { method: "POST", body, headers: { "idempotency-key": key, "content-type": "text/x-order" } });
  const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => call(index)));
  const ids = new Set(answers.map(({ headers }) => headers.get("longshore-invocation-id")));
  expect(ids.size).toBe(1);
  for (const answer of answers) expect([answer.status, answer.headers.get("content-type"), await answer.text()]).toEqual([200, "text/x-order", "order 7"]);
  expect(answers.filter(({ headers }) => headers.get("longshore-replayed") === null)).toHaveLength(1);
  const other = await call(0, "order 8");
  const { reason, detail } = (await other.json()) as { reason: string; detail: string };
  expect([other.status, reason]).toEqual([422, "idempotency_mismatch"]);
  expect(detail).toContain(other.headers.get("Longshore-Invocation-Id") ?? "no id was told");
});

it("a submission that makes no sense, or to nobody, is refused by name", async () => {
  await using fleet = await startFleet({ sites: [] });
  for (const [query, field] of [
    ["mode=later", "mode"],
    ["mode=async&delayMs=-1", "delayMs"],
    ["mode=async&delayMs=soon", "delayMs"],
    ["mode=async&delayMs=2592000001", "delayMs"],
    ["mode=async&notBefore=tomorrow", "notBefore"],
    ["mode=async&notBefore=2030-01-01T00:00:00Z&delayMs=5", "delayMs"],
    ["mode=async&maxAgeMs=999", "maxAgeMs"],
    ["mode=async&whatever=1", "whatever"],
    ["delayMs=5", "delayMs"],
  ]) {
    const answer = await fetch(`${fleet.url}/v1/functions/lab/invocations?${query}`, { method: "POST", body: "x" });
    expect([query, answer.status, ((await answer.json()) as { field: string }).field]).toEqual([query, 400, field]);
  }
  expect(await submit(fleet, "nobody")).toMatchObject({ status: 404, document: { reason: "function_not_found" } });
  expect(await submit(fleet, "nobody", { body: new Uint8Array(256 * 1024 + 1) })).toMatchObject({ status: 404, document: { reason: "function_not_found" } });
  const key = (value: string, more: Record<string, string> = {}) => fetch(`${fleet.url}/f/lab/`, { method: "POST", headers: { "idempotency-key": value, ...more } });
  expect((await (await key("two words")).json()) as object).toMatchObject({ status: 400, field: "Idempotency-Key" });
  expect((await (await key("k", { "longshore-invocation-id": createInvocationId() })).json()) as object).toMatchObject({ status: 400, field: "Idempotency-Key" });
});

it("jobs of a minute, more than one for each agent, run once and have one result each", { timeout: 240_000 }, async () => {
  await using fleet = await startFleet({ sites: ["plant", "cloud", "lab"] });
  await fleet.fleet.deploy(await shellFunction("job", 'echo began >&2; sleep 60; printf "did %s" "$(cat)"', { timeoutMs: 120_000 }));
  const ids = await Promise.all(Array.from({ length: 8 }, async (_, index) => String((await submit(fleet, "job", { body: `job ${index}` })).document["invocationId"])));
  const records = await Promise.all(ids.map((id) => ended(fleet.url, id)));
  expect(records.map(({ result, attempt, past }) => [result.outcome, attempt, past])).toEqual(records.map(() => ["succeeded", 1, undefined]));
  expect(await Promise.all(ids.map(async (id) => (await fetch(`${fleet.url}/v1/invocations/${id}/result`)).text()))).toEqual(ids.map((_, index) => `did job ${index}`));
  const began = [];
  for await (const { line } of fleet.fleet.logs("job", { tail: 100 })) if (line === "began") began.push(line);
  expect(began).toHaveLength(8);
});

import { createInvocationId } from "@longshore/protocol";
import { createFleet } from "@longshore/sdk";
import { expect, it } from "vitest";
import { startFleet } from "../support/fleet.ts";
import { laboratoryFunction } from "../support/functions.ts";

it("work is accepted over the socket as over HTTP, and the same on either is the same", async () => {
  await using test = await startFleet({ sites: ["plant"], brokers: 2 });
  await test.fleet.deploy(await laboratoryFunction("lab"));
  const submissions: string[] = [];
  const watched: typeof fetch = (input, init) => {
    const { pathname, search } = new URL(input instanceof Request ? input.url : input);
    if (init?.method === "POST") submissions.push(pathname + search);
    return fetch(input, init);
  };
  await using overSocket = createFleet({ url: test.url, fetch: watched });
  const handles = await Promise.all(Array.from({ length: 100 }, (_, index) => overSocket.enqueue("lab", `order ${index}`, index % 2 === 0 ? {} : { where: "site=plant", timeoutMs: 5_000 })));
  const long = await overSocket.enqueue("lab", new Uint8Array(256 * 1024));
  expect(submissions).toEqual([]);
  for (const handle of [...handles, long]) expect(await handle.ended()).toMatchObject({ attempt: 1, result: { outcome: "succeeded" } });

  // The other broker, the other carrier, the same invocation.
  await using overHttp = createFleet({ url: test.urls[1] ?? "", transport: "http" });
  const invocationId = createInvocationId();
  const sent = { invocationId, delayMs: 600_000 };
  await overSocket.enqueue("lab", "tomorrow", sent);
  const again = await fetch(`${test.urls[1]}/v1/functions/lab/invocations?mode=async&delayMs=600000`, { method: "POST", body: "tomorrow", headers: { "longshore-invocation-id": invocationId } });
  expect([again.status, again.headers.get("longshore-replayed")]).toEqual([202, "true"]);
  await expect(overHttp.enqueue("lab", "another", { invocationId })).rejects.toMatchObject({ reason: "invocation_exists" });
  await expect(overSocket.enqueue("lab", "another", { invocationId })).rejects.toMatchObject({ reason: "invocation_exists", field: "invocationId" });
  const [one, other] = [await overSocket.enqueue("lab", "7", { idempotencyKey: "order-7" }), await overHttp.enqueue("lab", "7", { idempotencyKey: "order-7" })];
  expect(other.invocationId).toBe(one.invocationId);
  await expect(overSocket.enqueue("nowhere", "x")).rejects.toMatchObject({ reason: "function_not_found" });
  await expect(overSocket.enqueue("lab", "x", { delayMs: -1 })).rejects.toMatchObject({ reason: "bad_schema", field: "delayMs" });
});

import { expect, it } from "vitest";
import { HttpClient } from "./http-client.ts";
import { resolveOptions } from "./options.ts";
import { createFakeFetch } from "./testing/fake-fetch.ts";

it("a broker that says nothing within the time that a request has is none, whoever else may end the request", async () => {
  const { fetch } = createFakeFetch(({ signal }) => new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason as Error))));
  const http = new HttpClient(resolveOptions({ fetch }));
  await expect(http.json({ method: "GET", path: "/", withinMs: 1 })).rejects.toMatchObject({ reason: "connection_lost", code: "unavailable" });
  await expect(http.json({ method: "GET", path: "/", withinMs: 1, signal: new AbortController().signal })).rejects.toMatchObject({ reason: "connection_lost" });
  await expect(http.json({ method: "GET", path: "/", withinMs: 60_000, signal: AbortSignal.timeout(1) })).rejects.toMatchObject({ reason: "caller_gone" });
});

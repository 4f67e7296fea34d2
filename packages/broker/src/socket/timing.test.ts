import { createInvocationId } from "@longshore/protocol";
import { afterEach, expect, it } from "vitest";
import type { Acceptor } from "./submission-exchange.ts";
import { type SocketFixture, startSocketFixture } from "./testing/socket-fixture.ts";

let fixture: SocketFixture;
const tookMs: number[] = [];
const nothing = new Uint8Array(0);
const request = { method: "POST", target: "/", headers: [] };
const acceptor: Acceptor = {
  accept: () => Promise.resolve({ isNew: true, view: { state: "waiting", invocationId: createInvocationId(), functionName: "idle", acceptedAt: "2026-11-25T00:00:00.000Z" } }),
};
async function start() {
  tookMs.length = 0;
  fixture = await startSocketFixture({ idle: () => undefined }, { acceptor, exchanged: (durationMs) => tookMs.push(durationMs) });
  return { client: await fixture.connect(), invoker: fixture.invoker };
}
afterEach(() => fixture.close());

it("an invocation takes from its open frame to its last, however early its answer begins", async () => {
  const { client, invoker } = await start();
  client.invoke(1, "idle");
  const invocation = await invoker.seen();
  const seenAtMs = performance.now();
  invocation.head();
  await invocation.send(Uint8Array.of(1));
  await client.until(1, (frame) => frame.kind === "data");
  expect(tookMs).toEqual([]);
  const openForMs = performance.now() - seenAtMs;
  invocation.end();
  await client.until(1, (frame) => frame.kind === "end");
  expect(tookMs).toHaveLength(1);
  expect(tookMs[0]).toBeGreaterThan(openForMs);
});

it("a submission is timed, and an invocation that fails; what watches is not, nor what its caller breaks off", async () => {
  const { client, invoker } = await start();
  client.send(1, { kind: "open", head: { what: "submit", functionName: "idle", request, more: false }, body: nothing });
  expect(await client.next(1)).toMatchObject({ kind: "answer" });
  client.invoke(2, "nobody");
  expect(await client.next(2)).toMatchObject({ kind: "error" });
  expect(tookMs).toHaveLength(2);
  client.send(3, { kind: "open", head: { what: "watch" }, body: nothing });
  client.send(3, { kind: "cancel", head: { reason: "abandoned" } });
  await client.until(3, (frame) => frame.kind === "end");
  client.invoke(4, "idle");
  const invocation = await invoker.seen(({ request: { functionName } }) => functionName === "idle");
  client.close();
  await invocation.whenCancelled();
  expect(tookMs).toHaveLength(2);
});

import { createInvocationId, type TenantId } from "@longshore/protocol";
import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { describeBodies, readStoredBody, storeBody } from "../../packages/broker/src/bus/testing/body-contract.ts";
import { event, TestBus } from "../support/nats.ts";

const owner = () => ({ tenantId: "acme" as TenantId, invocationId: createInvocationId(), kind: "payload" as const });

describeBodies("bodies on the bus", async () => {
  const testBus = await TestBus.start();
  const [one, two] = [await testBus.broker("b1"), await testBus.broker("b2")];
  return { stores: [one.store.bodies, two.store.bodies] as const, [Symbol.asyncDispose]: () => testBus[Symbol.asyncDispose]() };
});

it("a body that was stored is there after the server was killed; one that nobody can tell of is told so", async () => {
  await using testBus = await TestBus.start();
  const bus = await testBus.broker("b1");
  const { bodies } = bus.store;
  const bytes = randomBytes(2_000_000);
  const kept = owner();
  const body = await storeBody(bodies, kept, bytes);
  const back = event();
  bus.onConnectionChange((connected) => connected && back.happen());
  process.kill(testBus.serverPid, "SIGKILL"); // The embedded server is started again by itself.
  await back.happened;
  expect((await readStoredBody(bodies, kept, body)).equals(bytes)).toBe(true);

  const other = await testBus.broker("b2");
  const lost = event();
  other.onConnectionChange((connected) => !connected && lost.happen());
  await testBus.stopServer();
  await lost.happened;
  await expect(storeBody(other.store.bodies, owner(), bytes)).rejects.toMatchObject({ reason: "bus_down" });
  await expect(readStoredBody(other.store.bodies, kept, body)).rejects.toMatchObject({ reason: "bus_down" });
  await testBus.startServer();
});

it("a body goes by itself once its life is over", async () => {
  await using testBus = await TestBus.start();
  const { bodies } = (await testBus.broker("b1")).store;
  const writing = bodies.write(owner(), 1_000);
  await writing.write(randomBytes(300_000));
  await writing.end();
  expect(await bodies.list()).toHaveLength(1);
  await expect.poll(() => bodies.list(), { timeout: 10_000 }).toEqual([]);
});

import { createInvocationId, encodeFrame, type FunctionName, type InvocationId, type TenantId } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { keyOf, terms } from "../../packages/broker/src/bus/testing/queue-contract.ts";
import { describeRecords } from "../../packages/broker/src/bus/testing/records-contract.ts";
import type { KeptRecord, RecordReader, RecordsWanted } from "../../packages/broker/src/bus/kept-record.ts";
import { TestBus } from "../support/nats.ts";

const nothing = new Uint8Array(0);

describeRecords("the records of sync invocations on the bus", async () => {
  const testBus = await TestBus.start();
  const [one, other] = [(await testBus.broker("b1")).store.records, (await testBus.broker("b2")).store.records];
  return {
    reader: other,
    knowsFunctions: false,
    async store(tenantId, _functionName, invocationId, head) {
      one.append(tenantId, invocationId, head, nothing);
      await one.flush();
    },
    [Symbol.asyncDispose]: () => testBus[Symbol.asyncDispose](),
  };
});

describeRecords("the records of accepted invocations on the bus", async () => {
  const testBus = await TestBus.start();
  const [one, other] = [(await testBus.broker("b1")).store.queue, (await testBus.broker("b2")).store.queue];
  return {
    reader: other,
    knowsFunctions: true,
    async store(tenantId, functionName, invocationId, head) {
      const key = { tenantId, functionName, invocationId: invocationId as InvocationId };
      await one.accept(key, terms(), {}, nothing);
      await one.finish(key, head, nothing);
    },
    [Symbol.asyncDispose]: () => testBus[Symbol.asyncDispose](),
  };
});

async function readSome(reader: RecordReader, wanted: RecordsWanted, most: number): Promise<KeptRecord[]> {
  const all: KeptRecord[] = [];
  for await (const chunk of reader.newestFirst(wanted)) {
    all.push(...chunk);
    if (all.length >= most) break;
  }
  return all;
}

describe("a page of records on the bus", () => {
  it("is there among ten thousand of others, and of what is queued, at the moment at which it ended", async () => {
    await using testBus = await TestBus.start();
    const { queue } = (await testBus.broker("b1")).store;
    const rare = keyOf("rare" as FunctionName);
    await queue.finish(rare, { rare: true }, nothing);
    for (let group = 0; group < 20; group += 1) {
      await Promise.all(Array.from({ length: 500 }, (_, index) => (index % 2 === 0 ? queue.finish(keyOf(), { index }, nothing) : queue.accept(keyOf(), terms(), {}, nothing))));
    }
    const { tenantId } = rare;
    expect((await readSome(queue, { tenantId, functionName: rare.functionName, atOnce: 10 }, 2)).map(({ invocationId }) => invocationId)).toEqual([rare.invocationId]);
    const newest = await readSome(queue, { tenantId, functionName: "*", atOnce: 50 }, 50);
    expect(newest.length).toBeGreaterThanOrEqual(50);
    expect(newest.length).toBeLessThanOrEqual(100);
  });

  it("has each record once, however long the answers that are kept with them", async () => {
    await using testBus = await TestBus.start();
    const { records } = (await testBus.broker("b1")).store;
    const ids = Array.from({ length: 60 }, () => createInvocationId());
    for (const id of ids) records.append("acme", id, { id }, new Uint8Array(200_000));
    await records.flush();
    const all = await readSome(records, { tenantId: "acme" as TenantId, functionName: "*", atOnce: 60 }, 60);
    expect(all.map(({ invocationId }) => invocationId)).toEqual(ids.toReversed());
    expect(all[0]?.byteLength).toBeGreaterThan(200_000);
  });

  it("has what cannot be read as such, and the others", async () => {
    await using testBus = await TestBus.start();
    const { records } = (await testBus.broker("b1")).store;
    const { core } = testBus.bus.access;
    const connection = await testBus.connection(core);
    records.append("acme", createInvocationId(), { is: "whole" }, nothing);
    await records.flush();
    connection.publish(`longshore.v1.record.acme.${createInvocationId()}`, Uint8Array.of(1, 2, 3));
    connection.publish(`longshore.v1.record.acme.${createInvocationId()}`, encodeFrame({ kind: "open", head: {}, body: nothing }));
    await connection.flush();
    expect((await readSome(records, { tenantId: "acme" as TenantId, functionName: "*", atOnce: 10 }, 10)).map(({ head }) => head)).toEqual([undefined, undefined, { is: "whole" }]);
  });
});

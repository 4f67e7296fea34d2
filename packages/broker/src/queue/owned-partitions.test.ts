import type { FunctionName } from "@longshore/protocol";
import { expect, it } from "vitest";
import type { QueueEntry } from "../bus/queue-store.ts";
import { keyOf, terms } from "../bus/testing/queue-contract.ts";
import { MemoryQueue } from "../bus/testing/memory-queue.ts";
import { partitionCount } from "../bus/queue-subjects.ts";
import { OwnedPartitions } from "./owned-partitions.ts";
import { QueueIndex } from "./queue-index.ts";

const settled = () => new Promise((resolve) => setImmediate(resolve));
const nothing = new Uint8Array(0);

function broker(brokerId: string, ids: string[], queue: MemoryQueue) {
  const index = new QueueIndex();
  let changes = 0;
  const stands = (entry: QueueEntry) => {
    index.add(entry, Date.now());
    changes += 1;
  };
  const partitions = new OwnedPartitions({ brokerId, brokers: { ids }, queue, stands, forget: (partition) => index.forget(partition) });
  partitions.reconsider();
  return { index, partitions, ids, changes: () => changes };
}

it("brokers share what is queued among them: each of it is with one, and with whoever is left when one goes", async () => {
  const queue = new MemoryQueue();
  const accept = () => Promise.all(Array.from({ length: 100 }, (_, index) => queue.accept(keyOf(`f-${index}` as FunctionName), terms(), {}, nothing)));
  await accept();
  const [one, two] = [broker("b-1", ["b-1", "b-2"], queue), broker("b-2", ["b-1", "b-2"], queue)];
  expect([...one.partitions.numbers, ...two.partitions.numbers].toSorted((a, b) => a - b)).toEqual(Array.from({ length: partitionCount }, (_, partition) => partition));
  await accept();
  await settled();
  expect(one.index.size + two.index.size).toBe(200);
  expect([one.index.size > 20, two.index.size > 20, one.changes() > 0]).toEqual([true, true, true]);
  two.partitions.close();
  expect(two.index.size).toBe(0);
  one.ids.splice(1);
  one.partitions.reconsider();
  expect(one.index.size).toBe(200);
});

it("a broker that comes takes its share over, and what was handed out goes on where it was", async () => {
  const queue = new MemoryQueue();
  await Promise.all(Array.from({ length: 100 }, (_, index) => queue.accept(keyOf(`f-${index}` as FunctionName), terms(), {}, nothing)));
  const one = broker("b-1", ["b-1"], queue);
  const due = one.index.take(Date.now(), () => true);
  one.ids.push("b-2");
  one.partitions.reconsider();
  const two = broker("b-2", ["b-1", "b-2"], queue);
  expect(one.index.size + two.index.size).toBeGreaterThanOrEqual(99);
  expect(one.index.size).toBeLessThan(80);
  if (due !== undefined) one.index.settled(due.entry);
});

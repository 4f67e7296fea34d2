import { MemoryQueue } from "./memory-queue.ts";
import { describeQueue } from "./queue-contract.ts";

describeQueue("a queue in memory", () => {
  const queue = new MemoryQueue();
  return Promise.resolve({ queues: [queue, queue], [Symbol.asyncDispose]: () => Promise.resolve() });
});

import type { InvocationId } from "@longshore/protocol";
import { MemoryQueue } from "./memory-queue.ts";
import { MemoryRecords } from "./memory-store.ts";
import { describeRecords } from "./records-contract.ts";

const nothing = new Uint8Array(0);
const close = { [Symbol.asyncDispose]: () => Promise.resolve() };

describeRecords("the records of sync invocations in memory", () => {
  const records = new MemoryRecords();
  return Promise.resolve({
    reader: records,
    knowsFunctions: false,
    store: (tenantId, _functionName, invocationId, head) => {
      records.append(tenantId, invocationId, head, nothing);
      return Promise.resolve();
    },
    ...close,
  });
});

describeRecords("the records of accepted invocations in memory", () => {
  const queue = new MemoryQueue();
  return Promise.resolve({
    reader: queue,
    knowsFunctions: true,
    store: async (tenantId, functionName, invocationId, head) => {
      await queue.finish({ tenantId, functionName, invocationId: invocationId as InvocationId }, head, nothing);
    },
    ...close,
  });
});

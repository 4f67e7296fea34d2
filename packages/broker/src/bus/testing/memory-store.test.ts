import { MemoryStore } from "./memory-store.ts";
import { describeStore } from "./store-contract.ts";

describeStore("a store in memory", () => {
  const store = new MemoryStore();
  return Promise.resolve({ stores: [store, store, store] as const, [Symbol.asyncDispose]: () => Promise.resolve() });
});

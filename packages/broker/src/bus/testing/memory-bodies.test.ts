import { describeBodies } from "./body-contract.ts";
import { MemoryBodies } from "./memory-bodies.ts";

describeBodies("bodies in memory", () => {
  const bodies = new MemoryBodies();
  return Promise.resolve({ stores: [bodies, bodies] as const, [Symbol.asyncDispose]: () => Promise.resolve() });
});

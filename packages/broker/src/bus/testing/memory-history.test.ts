import { describeHistory } from "./history-contract.ts";
import { MemoryHistory } from "./memory-history.ts";

describeHistory("a history in memory", () => {
  const history = new MemoryHistory();
  return Promise.resolve({ histories: [history, history] as const, [Symbol.asyncDispose]: () => Promise.resolve() });
});

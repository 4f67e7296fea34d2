import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { RuntimeApi } from "./lambda/runtime-api.ts";
import { contractFor, createContracts } from "./contracts.ts";

describe("contractFor()", () => {
  const clock = new ManualClock();
  const log = pino({ level: "silent" });
  const contracts = createContracts({ api: new RuntimeApi(clock, log), clock, log, randomBytes: (length) => new Uint8Array(length) });

  it.each(["http", "stdio", "lambda", "azure"] as const)("finds %s", (name) => {
    expect(contractFor(contracts, name).name).toBe(name);
  });

  it("names one that this agent does not know", () => {
    const error = { reason: "contract_unimplemented", phase: "admission", field: "contract", message: 'Cannot run: this agent does not know the contract "azure"' };
    expect(() => contractFor({}, "azure")).toThrow(expect.objectContaining(error));
  });
});

import { describe, expect, it } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { contractFor, createContracts } from "./contracts.ts";

describe("contractFor()", () => {
  const contracts = createContracts(new ManualClock());

  it.each(["http", "stdio"] as const)("finds %s", (name) => {
    expect(contractFor(contracts, name).name).toBe(name);
  });

  it.each(["lambda", "azure"] as const)("names %s as one that this agent does not know", (name) => {
    const error = { reason: "contract_unimplemented", phase: "admission", field: "contract", message: `Cannot run: this agent does not know the contract "${name}"` };
    expect(() => contractFor(contracts, name)).toThrow(expect.objectContaining(error));
  });
});

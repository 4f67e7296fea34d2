import { expect, it } from "vitest";
import { resolveAgentConfig } from "../config.ts";
import { poolLimits } from "./limits.ts";

const mebibyte = 2 ** 20;

it("holds no more than the memory set aside for it allows", () => {
  const config = { ...resolveAgentConfig({}), heldMax: 32, heldMemoryBytes: 20 * mebibyte };
  expect(poolLimits(config, 2_000)).toMatchObject({ heldMax: 2, heldCostBytes: 8 * mebibyte, preparingMax: 4, beginningAtOnce: 4 });
  expect(poolLimits({ ...config, heldMemoryBytes: 10_000 * mebibyte }, 16_000)).toMatchObject({ heldMax: 32, preparingMax: 32, beginningAtOnce: 32 });
});

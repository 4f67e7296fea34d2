import { describe, expect, it } from "vitest";
import { partitionCount } from "../bus/queue-subjects.ts";
import { ownerOf } from "./owner-of.ts";

const partitions = Array.from({ length: partitionCount }, (_, partition) => partition);
const owners = (brokerIds: readonly string[]) => partitions.map((partition) => ownerOf(partition, brokerIds));

describe("ownerOf()", () => {
  it("names one of the brokers, the same in whatever order they are known", () => {
    const brokerIds = ["b-1", "b-2", "b-3"];
    expect(owners(brokerIds)).toEqual(owners(brokerIds.toReversed()));
    for (const owner of owners(brokerIds)) expect(brokerIds).toContain(owner);
    expect(ownerOf(0, [])).toBeUndefined();
  });

  it("gives each of a few brokers a share", () => {
    for (const count of [2, 3, 5]) {
      const brokerIds = Array.from({ length: count }, (_, index) => `b-${index}`);
      const shares = brokerIds.map((brokerId) => owners(brokerIds).filter((owner) => owner === brokerId).length);
      expect(Math.min(...shares)).toBeGreaterThan(0);
      expect(Math.max(...shares)).toBeLessThan((2.5 * partitionCount) / count);
    }
  });

  it("moves only what a broker that goes had, and only to one that comes", () => {
    const before = owners(["b-1", "b-2", "b-3"]);
    const after = owners(["b-1", "b-3"]);
    for (const partition of partitions) if (before[partition] !== "b-2") expect(after[partition]).toBe(before[partition]);
    const joined = owners(["b-1", "b-2", "b-3", "b-4"]);
    for (const partition of partitions) if (joined[partition] !== "b-4") expect(joined[partition]).toBe(before[partition]);
  });
});

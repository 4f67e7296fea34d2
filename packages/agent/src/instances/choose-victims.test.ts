import { describe, expect, it } from "vitest";
import { seededRandom } from "../testing/random.ts";
import { chooseVictims } from "./choose-victims.ts";

const victim = (memoryBytes: number, lastUsedMs: number) => ({ memoryBytes, lastUsedMs });

describe("chooseVictims()", () => {
  it("takes the least recently used first", () => {
    const [old, recent] = [victim(10, 1), victim(10, 2)];
    expect(chooseVictims([recent, old], { memoryBytes: 5, instances: 0 })).toEqual([old]);
  });

  it("takes as many as needed, of memory and of containers", () => {
    const candidates = [victim(10, 1), victim(10, 2), victim(10, 3)];
    expect(chooseVictims(candidates, { memoryBytes: 15, instances: 0 })).toHaveLength(2);
    expect(chooseVictims(candidates, { memoryBytes: 5, instances: 3 })).toHaveLength(3);
  });

  it("spares what turns out not to be needed, the most recently used first", () => {
    const [oldSmall, small, large] = [victim(8, 1), victim(8, 2), victim(256, 3)];
    expect(chooseVictims([oldSmall, small, large], { memoryBytes: 260, instances: 0 })).toEqual([oldSmall, large]);
    expect(chooseVictims([oldSmall, small, large], { memoryBytes: 256, instances: 0 })).toEqual([large]);
  });

  it("takes none when none is needed, and says when all would not do", () => {
    expect(chooseVictims([victim(10, 1)], { memoryBytes: 0, instances: 0 })).toEqual([]);
    expect(chooseVictims([victim(10, 1)], { memoryBytes: 11, instances: 0 })).toBeUndefined();
    expect(chooseVictims([victim(10, 1)], { memoryBytes: 0, instances: 2 })).toBeUndefined();
  });

  it("always frees enough, and nothing it could have spared", () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = seededRandom(seed);
    for (let round = 0; round < 500; round += 1) {
      const candidates = Array.from({ length: Math.floor(random() * 6) }, (_, index) => victim(Math.floor(random() * 50), index));
      const needed = { memoryBytes: Math.floor(random() * 100), instances: Math.floor(random() * 4) };
      const chosen = chooseVictims(candidates, needed);
      const isEnough = (some: readonly { memoryBytes: number }[]) => some.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0) >= needed.memoryBytes && some.length >= needed.instances;
      expect({ seed, round, isEnough: isEnough(chosen ?? candidates) }).toEqual({ seed, round, isEnough: chosen !== undefined });
      for (const one of chosen ?? []) expect({ seed, round, isEnough: isEnough((chosen ?? []).filter((other) => other !== one)) }).toEqual({ seed, round, isEnough: false });
    }
  });
});

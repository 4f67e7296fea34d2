import { describe, expect, it } from "vitest";
import { PoolWalk } from "./testing/pool-walk.ts";

const steps = 250;
const first = Number(process.env["LONGSHORE_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const seeds = Array.from({ length: Number(process.env["LONGSHORE_WALKS"] ?? 40) }, (_, index) => first + index);

describe("a pool in which anything happens", () => {
  it.each(seeds)("keeps its promises, and comes back to nothing (seed %i)", async (seed) => {
    const walk = new PoolWalk(seed, seed % 4 !== 0);
    const names: string[] = [];
    for (let step = 0; step < steps; step += 1) {
      names.push(await walk.step());
      expect({ broken: walk.broken(), last: names.slice(-12) }).toEqual({ broken: [], last: names.slice(-12) });
    }
    const { pool, clock } = walk.scene;
    pool.resume();
    await walk.comeToRest();
    expect({ broken: walk.broken(), unanswered: walk.unanswered }).toEqual({ broken: [], unanswered: 0 });
    walk.retireAll();
    await walk.comeToRest();
    expect(pool.instances.size).toBe(0);
    const closed = pool.close();
    await closed;
    expect(clock.pending).toBe(0);
  });
});

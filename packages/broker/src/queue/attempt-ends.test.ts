import type { FunctionName } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { startedScene } from "./testing/queue-scene.ts";

describe("an attempt", () => {
  it("that fails is repeated after a while, three times in all, and its record is that of the last", async () => {
    const scene = await startedScene({ room: 10 });
    const id = await scene.accept();
    for (const [attempt, waitMs] of [[1, 10_000], [2, 60_000], [3, 0]] as const) {
      await scene.hasRoom("a1", 10);
      expect(scene.last(id).order.attempt).toBe(attempt);
      await scene.begins(id);
      await scene.ends(id, { outcome: "failed", exitCode: attempt });
      expect(scene.exchanges(id)).toHaveLength(attempt);
      await scene.advance(waitMs);
    }
    expect(await scene.record(id)).toMatchObject({ outcome: "failed" });
    expect(scene.records).toMatchObject([{ attempt: 3, result: { exitCode: 3 } }]);
  });

  it("whose agent says lost ends so, unless its function is idempotent", async () => {
    const scene = await startedScene({ room: 10 });
    scene.deploy({ document: { name: "again", idempotent: true } });
    const [once, again] = [await scene.accept(), await scene.accept({ functionName: "again" as FunctionName })];
    for (const id of [once, again]) {
      await scene.begins(id);
      await scene.ends(id, { outcome: "lost" });
    }
    expect(await scene.record(once)).toMatchObject({ outcome: "lost" });
    expect(await scene.entry(again)).toMatchObject({ attempt: 2, past: ["lost"] });
  });

  it("of which nothing is heard is left to its agent for its time and an hour, and is lost then", async () => {
    const scene = await startedScene();
    const id = await scene.accept({ maxAgeMs: 60_000 });
    scene.last(id).fails("bus_down");
    await scene.advance(3_600_000, 1_000);
    expect(await scene.entry(id)).toMatchObject({ attempt: 1, isSent: true });
    await scene.advance(120_000, 1_000);
    expect(await scene.record(id)).toMatchObject({ outcome: "lost" });
    await scene.ends(id, { outcome: "succeeded" });
    expect(await scene.record(id)).toMatchObject({ outcome: "lost" });
    expect(scene.settledAttempts).toEqual([`a1 ${id} 1`]);
  });
});

import { type FunctionName, LongshoreError, type SiteId } from "@longshore/protocol";
import { describe, expect, it, vi } from "vitest";
import { startedScene } from "./testing/queue-scene.ts";

describe("an accepted invocation", () => {
  it("is begun once, however many brokers try", async () => {
    const scene = await startedScene({ room: 30 });
    const others = await Promise.all([1, 2].map(() => startedScene({ room: 30, store: scene.store }))); // Of one name: they do not know of each other, and all is everybody's.
    const ids = await Promise.all(Array.from({ length: 20 }, () => scene.accept()));
    expect(ids.map((id) => [scene, ...others].flatMap((broker) => broker.exchanges(id)).length)).toEqual(ids.map(() => 1));
  });

  it("waits where nobody has room, and delays nobody else", async () => {
    const scene = await startedScene();
    scene.deploy({ document: { name: "elsewhere", placement: { sites: ["cloud"] } } });
    const blocked = await Promise.all(Array.from({ length: 60 }, () => scene.accept({ functionName: "elsewhere" as FunctionName })));
    const free = await scene.accept();
    expect(scene.exchanges(free)).toHaveLength(1);
    expect(blocked.flatMap((id) => scene.exchanges(id))).toEqual([]);
    scene.fleet.ready("c1", { site: "cloud", heartbeat: { instancesMax: 60, instancesFree: 60, memoryBytes: 60 * 2 ** 30, memoryFreeBytes: 60 * 2 ** 30 } });
    await scene.advance(50);
    expect(blocked.flatMap((id) => scene.exchanges(id))).toHaveLength(60);
  });

  it("that is not begun in time expires, and one whose function is gone is rejected", async () => {
    const scene = await startedScene({ room: 0 });
    const late = await scene.accept({ maxAgeMs: 5_000 });
    await scene.advance(5_000);
    expect(await scene.record(late)).toMatchObject({ outcome: "expired" });
    const gone = await scene.accept();
    scene.revisions.clear();
    scene.agent("a1");
    await scene.advance(50);
    expect(await scene.record(gone)).toMatchObject({ outcome: "rejected" });
    expect(scene.records.at(-1)).toMatchObject({ result: { error: { reason: "function_not_found" } } });
  });

  it("is begun though more is over than can be ended at once", async () => {
    const scene = await startedScene({ room: 0 });
    await Promise.all(Array.from({ length: 100 }, () => scene.accept({ maxAgeMs: 5_000 })));
    vi.spyOn(scene.store.queue, "finish").mockReturnValue(new Promise(() => undefined));
    await scene.advance(5_000);
    scene.agent("a1");
    await scene.advance(50);
    expect(scene.exchanges(await scene.accept())).toHaveLength(1);
  });

  it("waits for the bus, and is begun once it is back", async () => {
    const scene = await startedScene();
    const id = await scene.accept();
    await scene.begins(id);
    await scene.ends(id, { outcome: "succeeded" });
    await scene.hasRoom("a1", 0);
    const next = await scene.accept();
    scene.store.queue.failing = new LongshoreError("bus_down", "Cannot read: the bus is away");
    await scene.hasRoom("a1", 1);
    scene.store.queue.failing = undefined;
    expect(scene.exchanges(next)).toHaveLength(0);
    await scene.hasRoom("a1", 1);
    await scene.advance(2_000);
    expect(scene.exchanges(next)).toHaveLength(1);
  });

  it("that only one site may run waits for that site without a write", async () => {
    const scene = await startedScene({ room: 10 });
    const id = await scene.accept({ where: { site: "moon" as SiteId } });
    await scene.advance(20_000);
    expect(scene.exchanges(id)).toEqual([]);
    expect(await scene.entry(id)).toMatchObject({ sequence: 1 });
    scene.fleet.ready("m1", { site: "moon", heartbeat: { instancesMax: 1, instancesFree: 1 } });
    await scene.advance(5_000);
    expect(scene.exchanges(id)).toHaveLength(1);
  });
});

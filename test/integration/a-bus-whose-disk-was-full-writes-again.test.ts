import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startFleet } from "../support/fleet.ts";
import { LoopStore } from "../support/loop-store.ts";

it("an embedded bus on a small disk that was full writes again by itself once there is room, and has lost nothing", { timeout: 180_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "longshore-full-disk-"));
  const mount = join(folder, "disk");
  mkdirSync(mount);
  const store = LoopStore.create(mount, folder, 96 * 2 ** 20);
  try {
    await using test = await startFleet({ sites: [], broker: { dataFolder: join(mount, "broker") } });
    const written: string[] = [];
    const write = async () => {
      const { host } = await test.fleet.registries.set(`registry-${written.length}.example`, { username: "robot", password: "x".repeat(1_000) });
      written.push(host);
      return written.length;
    };
    await write();
    store.fill();
    // What the last blocks of its files have room for is still written.
    const untilFull = async () => { while ((await write()) < 100); };
    await expect(untilFull()).rejects.toMatchObject({ reason: "bus_down" });
    const before = [...written];
    store.empty();
    await expect.poll(() => write().catch(() => 0), { timeout: 60_000, interval: 200 }).toBe(before.length + 1);
    expect((await test.fleet.registries.list()).map(({ host }) => host)).toEqual(expect.arrayContaining(before));
  } finally {
    store[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  }
});

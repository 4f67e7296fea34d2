import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { BusProcess } from "../faults/run/bus-process.ts";

it("the bus under faults that overlap comes back once the last of them is healed, as one process", async () => {
  const folder = mkdtempSync(join(tmpdir(), "longshore-bus-"));
  try {
    await using bus = await BusProcess.start(folder, { ownDisk: false });
    const began = () => readFileSync(bus.logFile, "utf8").split("Starting nats-server").length - 1;
    expect(began()).toBe(1);
    await Promise.all([bus.kill(), bus.kill()]);
    await bus.start();
    expect(began()).toBe(1); // The other fault is not healed.
    await bus.start();
    expect(began()).toBe(2);
    await bus.kill();
    const starting = bus.start();
    await bus.kill(); // While it begins.
    await starting;
    await bus.start();
    expect(() => process.kill(bus.pid, 0)).not.toThrow();
    await bus.kill();
    await bus.start();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

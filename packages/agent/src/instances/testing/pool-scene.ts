import type { InstanceId, LongshoreError, Revision } from "@longshore/protocol";
import { pino } from "pino";
import { ManualClock } from "../../testing/manual-clock.ts";
import type { Lease, SlotWaiter } from "../lease.ts";
import type { PoolLimits } from "../limits.ts";
import { InstancePool } from "../pool.ts";
import { FakeLauncher } from "./fake-launcher.ts";

export const mebibyte = 2 ** 20;

/** Room for four instances of 256 MiB. */
export const sceneLimits: PoolLimits = {
  memoryBytes: 1024 * mebibyte,
  instancesMax: 10,
  heldMax: 4,
  heldCostBytes: 8 * mebibyte,
  idleMs: 60_000,
  restMs: 1_000,
  preparingMax: 4,
  beginningAtOnce: 4,
  refillingMax: 2,
  refillDelayMs: 50,
  refillPatienceMs: 2_000,
};

/** One who asked for a slot, and what was answered. */
export class FakeWaiter implements SlotWaiter {
  lease: Lease | undefined;
  error: LongshoreError | undefined;
  answers = 0;
  stopWaiting: () => void = () => undefined;

  granted(lease: Lease): void {
    this.answers += 1;
    this.lease = lease;
  }

  refused(error: LongshoreError): void {
    this.answers += 1;
    this.error = error;
  }
}

/** A pool whose containers and time are the test's. */
export function createPoolScene(limits: Partial<PoolLimits> = {}) {
  const clock = new ManualClock();
  const launcher = new FakeLauncher();
  let count = 0;
  const scene = {
    clock,
    launcher,
    onChange: () => undefined as unknown,
    /** What the kernel says of processors that are waited for; undefined: nothing. */
    waitedUs: undefined as number | undefined,
    pool: new InstancePool({
      launcher,
      limits: { ...sceneLimits, ...limits },
      clock,
      log: pino({ level: "silent" }),
      newInstanceId: () => `i-${++count}` as InstanceId,
      waitedUs: (): number | undefined => scene.waitedUs,
      onChange: () => void scene.onChange(),
    }),
    acquire(revision: Revision): FakeWaiter {
      const waiter = new FakeWaiter();
      waiter.stopWaiting = scene.pool.acquire(revision, waiter);
      return waiter;
    },
    /** An instance of the revision with a slot given out. */
    async busy(revision: Revision): Promise<FakeWaiter> {
      const waiter = scene.acquire(revision);
      if (waiter.lease !== undefined) return waiter;
      if (launcher.preparations.some((preparation) => preparation.revision === revision)) {
        launcher.preparations.find((preparation) => preparation.revision === revision)?.succeed();
        await settled();
      }
      launcher.containers.find((container) => container.revision === revision && container.isStarting)?.ready();
      await settled();
      return waiter;
    },
    /** A held instance of the revision. */
    async hold(revision: Revision): Promise<void> {
      scene.pool.hold(revision, 1);
      clock.advance(0);
      launcher.next();
      await settled();
    },
    phases: () => [...scene.pool.instances].map(({ state }) => state.phase),
  };
  return scene;
}

/** Everything that was to follow at once has happened. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

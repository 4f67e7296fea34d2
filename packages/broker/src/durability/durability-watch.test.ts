import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import type { ServersSeen } from "./durability.ts";
import { DurabilityWatch } from "./durability-watch.ts";

const seen = (syncsAlways: boolean | undefined): ServersSeen => ({ reports: syncsAlways === undefined ? [] : [{ serverId: "n", storesStreams: true, syncsAlways, clusterSize: 1, stream: { storage: "file", persistMode: "default" } }], silent: 0 });

/** Whatever waited for nothing but its turn has had it. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A watch over looks that the test answers, one after another. */
function watching({ acceptsUnsynced = false } = {}) {
  const clock = new ManualClock();
  const looks: ((found: ServersSeen) => void)[] = [];
  const look = () => new Promise<ServersSeen>((resolve) => looks.push(resolve));
  const watch = new DurabilityWatch({ look, acceptsUnsynced, clock, log: pino({ level: "silent" }) });
  /** Answers the look that stands open; resolves once that has been taken in. */
  const answer = async (found: ServersSeen) => {
    await settled();
    expect(looks).toHaveLength(1);
    looks.shift()?.(found);
    await settled();
  };
  return { clock, looks, watch, answer };
}

describe("DurabilityWatch", () => {
  it("assumes until it has looked, and starts once it has", async () => {
    const { watch, answer } = watching();
    const started = watch.start();
    expect(watch.state).toBe("assumed");
    await answer(seen(true));
    await started;
    expect(watch.state).toBe("verified");
    expect(watch.refusal()).toBeUndefined();
  });

  it("refuses to accept work while a server is seen not to sync, and says how to mend it", async () => {
    const { watch, answer } = watching();
    const started = watch.start();
    await answer(seen(false));
    await started;
    expect(watch.refusal()).toMatchObject({ reason: "not_durable", code: "failed_precondition", phase: "admission", message: expect.stringMatching(/^Cannot accept the invocation: .*sync_interval: always.*busDurability: unsynced/) as string });
  });

  it("accepts it all the same where the settings say so, and does not call it durable", async () => {
    const { watch, answer } = watching({ acceptsUnsynced: true });
    const started = watch.start();
    await answer(seen(false));
    await started;
    expect([watch.state, watch.refusal()]).toEqual(["not_durable", undefined]);
  });

  it("assumes where there is nothing to look by, and accepts", async () => {
    const clock = new ManualClock();
    const watch = new DurabilityWatch({ look: undefined, acceptsUnsynced: false, clock, log: pino({ level: "silent" }) });
    await watch.start();
    expect([watch.state, watch.refusal(), clock.pending]).toEqual(["assumed", undefined, 0]);
    expect(watch.mend).toContain("busMonitoring");
  });

  it("looks again each minute", async () => {
    const { clock, looks, watch, answer } = watching();
    const started = watch.start();
    await answer(seen(true));
    await started;
    clock.advance(59_999);
    await settled();
    expect(looks).toHaveLength(0);
    clock.advance(1);
    await answer(seen(false));
    expect([watch.state, clock.pending]).toEqual(["not_durable", 1]);
  });

  it("looks once more, and only once, when it is told to twice during a look: that one's answer may be of before (D2)", async () => {
    const { clock, looks, watch, answer } = watching();
    void watch.start();
    await settled();
    const told = [watch.look(), watch.look()];
    await answer(seen(false));
    expect(watch.state).toBe("not_durable");
    await answer(seen(true));
    await Promise.all(told);
    expect([watch.state, looks.length, clock.pending]).toEqual(["verified", 0, 1]);
  });

  it("does not begin a look before the one under way has ended (D1)", async () => {
    const { looks, watch, answer } = watching();
    void watch.start();
    await settled();
    void watch.look();
    await settled();
    expect(looks).toHaveLength(1);
    await answer(seen(true));
    await answer(seen(true));
  });

  it("lets go of its timer when it is closed, in the middle of a look too", async () => {
    const { clock, watch, answer } = watching();
    void watch.start();
    await settled();
    watch.close();
    await answer(seen(true));
    expect(clock.pending).toBe(0);
    await watch.look();
  });
});

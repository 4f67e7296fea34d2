import { expect, it } from "vitest";
import { checkHistory } from "../faults/checker.ts";
import type { PlannedFault, Targets } from "../faults/schedule.ts";
import { runFaults } from "../faults/run/run-faults.ts";

/** One after another, each healed before the next. */
function oneOfEach({ agent_kill, broker_kill, nats_kill, agent_freeze }: Targets): PlannedFault[] {
  return [
    { faultId: "f1", atMs: 3_000, kind: "agent_kill", target: agent_kill?.[0] ?? "", healAfterMs: 3_000 },
    { faultId: "f2", atMs: 10_000, kind: "broker_kill", target: broker_kill?.[0] ?? "", healAfterMs: 3_000 },
    { faultId: "f3", atMs: 18_000, kind: "nats_kill", target: nats_kill?.[0] ?? "", healAfterMs: 1_500 },
    { faultId: "f4", atMs: 24_000, kind: "agent_freeze", target: agent_freeze?.[1] ?? "", healAfterMs: 4_000 },
  ];
}

it("what was accepted ends in one true record, whichever of agent, broker and bus dies or stands still", async () => {
  const history = await runFaults({ seed: 1, minutes: 0.5, ratePerSecond: 2, fleet: { brokers: 2, sites: ["plant", "cloud"] }, faults: oneOfEach, repeatsFailures: false });
  // In half a minute a process has hardly warmed up.
  const { violations, unproved, figures } = checkHistory(history, { mostMemoryGrowth: Number.POSITIVE_INFINITY });
  expect(violations).toEqual([]);
  expect(unproved).toEqual([]);
  expect(figures).toMatchObject({ faults: 4, lostAccepted: 0, doubledRecords: 0, secondStarts: 0, wrongReasons: 0, orphans: 0 });
  expect(figures.accepted).toBeGreaterThan(0);
}, 300_000);

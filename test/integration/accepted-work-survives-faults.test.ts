import { expect, it } from "vitest";
import { checkHistory } from "../faults/checker.ts";
import { stages } from "../faults/run/actor.ts";
import { runFaults } from "../faults/run/run-faults.ts";
import type { PlannedFault, Targets } from "../faults/schedule.ts";

/** One after another, each healed before the next. */
function oneOfEach({ agent_kill, broker_kill, nats_kill, agent_freeze, link_cut, container_kill }: Targets): PlannedFault[] {
  return [
    { faultId: "f1", atMs: 2_000, kind: "agent_kill", target: agent_kill?.[0] ?? "", healAfterMs: 2_000 },
    { faultId: "f2", atMs: 9_000, kind: "broker_kill", target: broker_kill?.[0] ?? "", healAfterMs: 2_000 },
    { faultId: "f3", atMs: 15_000, kind: "nats_kill", target: nats_kill?.[0] ?? "", healAfterMs: 1_500 },
    { faultId: "f4", atMs: 20_000, kind: "agent_freeze", target: agent_freeze?.[1] ?? "", healAfterMs: 4_000 },
    { faultId: "f5", atMs: 22_000, kind: "container_kill", target: container_kill?.[0] ?? "", healAfterMs: 100 },
    { faultId: "f6", atMs: 26_000, kind: "link_cut", target: link_cut?.[1] ?? "", healAfterMs: 3_000 },
  ];
}

it("what was accepted ends in one true record, whichever of agent, broker, bus, link and container fails or stands still", async () => {
  // On a machine that does other things besides, what is slow is not to be taken for what hangs.
  const patient = stages.map((stage) => ({ ...stage, timeoutMs: 60_000 }));
  const history = await runFaults({ seed: 1, minutes: 0.6, ratePerSecond: 2, pace: "brief", fleet: { brokers: 2, sites: ["plant", "cloud"] }, stages: patient, faults: oneOfEach, repeatsFailures: false });
  // In half a minute a process has hardly warmed up.
  const { violations, unproved, figures } = checkHistory(history, { mostMemoryGrowth: Number.POSITIVE_INFINITY });
  expect(violations).toEqual([]);
  expect(unproved).toEqual([]);
  expect(figures).toMatchObject({ faults: 6, lostAccepted: 0, doubledRecords: 0, secondStarts: 0, wrongReasons: 0, orphans: 0 });
  expect(figures.accepted).toBeGreaterThan(0);
}, 600_000);

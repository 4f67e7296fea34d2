import type { Outcome, Reason } from "@longshore/protocol";

/** What is done to a fleet (the fault table of the guarantees). */
export const faultKinds = [
  "broker_kill",
  "broker_freeze",
  "agent_kill",
  "agent_freeze",
  "engine_kill",
  "engine_restart",
  "engine_hang",
  "container_kill",
  "container_remove",
  "nats_kill",
  "power_cut",
  "disk_full",
  "link_cut",
  "link_black_hole",
  "link_one_way",
  "link_flap",
  "reconnect_storm",
  "cancels",
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** What may truly be said of an invocation that a fault touched, besides what its image gives. */
export interface FaultEffects {
  readonly outcomes: readonly Outcome[];
  readonly reasons: readonly Reason[];
}

/** Whatever is away for a while makes work late, and leaves less room for it. */
const late: FaultEffects = { outcomes: ["timed_out", "expired", "rejected"], reasons: ["deadline_passed", "no_free_slot", "backlog_full", "agent_busy"] };
const gone = besides(late, ["lost"], ["agent_lost", "site_disconnected"]);
const brokerGone = besides(gone, [], ["connection_lost", "broker_draining", "bus_down"]);
const agentGone = besides(gone, [], ["agent_draining"]);
const engineGone = besides(gone, ["failed"], ["engine_unavailable", "instance_start_failed", "image_pull_failed", "image_not_found"]);
const busGone = besides(gone, [], ["bus_down", "connection_lost"]);

/** Each kind's effects. One that cancels has none: what is cancelled is in the history itself. */
export const faultEffects: Readonly<Record<FaultKind, FaultEffects>> = {
  broker_kill: brokerGone,
  broker_freeze: brokerGone,
  agent_kill: agentGone,
  agent_freeze: agentGone,
  engine_kill: engineGone,
  engine_restart: engineGone,
  engine_hang: engineGone,
  container_kill: { outcomes: ["failed"], reasons: ["instance_start_failed"] },
  // An exit code that was removed with its container is not known.
  container_remove: { outcomes: ["failed", "lost"], reasons: ["instance_start_failed", "agent_lost"] },
  nats_kill: busGone,
  power_cut: busGone,
  disk_full: besides(busGone, [], ["store_full"]),
  link_cut: busGone,
  link_black_hole: busGone,
  link_one_way: busGone,
  link_flap: busGone,
  reconnect_storm: busGone,
  cancels: { outcomes: [], reasons: [] },
};

function besides(effects: FaultEffects, outcomes: readonly Outcome[], reasons: readonly Reason[]): FaultEffects {
  return { outcomes: [...effects.outcomes, ...outcomes], reasons: [...effects.reasons, ...reasons] };
}

import { faultKinds } from "../fault-kinds.ts";
import type { EventOf } from "../history.ts";
import type { PlannedFault, Targets } from "../schedule.ts";

/** A fleet that exists only in histories. */
export const agentIds = ["plant-a", "plant-b", "cloud-a"] as const;
export const brokerIds = ["broker-1", "broker-2"] as const;
export const tenants = { default: "marker-3f9a", other: "marker-77c1" } as const;

/** What can be broken in it. */
export const targets: Targets = Object.fromEntries(faultKinds.map((kind) => [kind, targetsOf(kind)]));

function targetsOf(kind: (typeof faultKinds)[number]): readonly string[] {
  if (kind.startsWith("broker")) return brokerIds;
  if (kind.startsWith("link")) return ["link of plant-a", "link of cloud-a"];
  if (kind === "nats_kill" || kind === "power_cut" || kind === "disk_full" || kind === "reconnect_storm") return ["nats"];
  return kind === "cancels" ? ["all"] : agentIds;
}

/** A fault that happened, and whom it concerned. */
export interface ImaginedFault extends PlannedFault {
  readonly toMs: number;
  readonly agentIds?: readonly string[];
  readonly brokerIds?: readonly string[];
}

/** A planned fault as it came to pass. */
export function imagineFault(fault: PlannedFault): ImaginedFault {
  const id = fault.target.replace("link of ", "");
  const scope = { ...((agentIds as readonly string[]).includes(id) && { agentIds: [id] }), ...((brokerIds as readonly string[]).includes(id) && { brokerIds: [id] }) };
  return { ...fault, toMs: fault.atMs + fault.healAfterMs, ...scope };
}

/** The events of a fault. */
export function eventsOfFault({ faultId, kind, target, atMs, toMs, agentIds: agents, brokerIds: brokers }: ImaginedFault): (EventOf<"fault_began"> | EventOf<"fault_healed"> | EventOf<"noticed">)[] {
  return [
    { event: "fault_began", atMs, faultId, kind, target, ...(agents !== undefined && { agentIds: [...agents] }), ...(brokers !== undefined && { brokerIds: [...brokers] }) },
    ...(toMs - atMs > 15_000 ? [{ event: "noticed" as const, atMs: atMs + 15_000, faultId, by: "roster" }] : []),
    { event: "fault_healed", atMs: toMs, faultId },
  ];
}

import type { InstanceId, Revision } from "@longshore/protocol";
import type { RunningInstance } from "../contracts/contract.ts";
import type { Attachment, ContainerId } from "../engine/engine.ts";

/**
 * The life of an instance: one container of one revision on this agent. Each phase holds exactly what it owns.
 *
 * ```
 *  preparing ──▶ held ──▶ starting ──▶ ready (idle | busy) ──▶ stopping ──▶ gone
 *      │           │          │              │                    ▲
 *      └───────────┴──────────┴──────────────┴── failed, evicted ─┘
 * ```
 * `ready` with no invocation under way is idle, else busy. A `run` instance (stdio) goes from held to ready at once, serves one
 * invocation and stops. A plain start (no `hold` for the architecture) goes from preparing to starting.
 */
export type InstanceState =
  | { readonly phase: "preparing"; readonly since: number }
  | { readonly phase: "held"; readonly since: number; readonly containerId: ContainerId; readonly attachment: Attachment }
  | { readonly phase: "starting"; readonly since: number; readonly containerId: ContainerId }
  | { readonly phase: "ready"; readonly since: number; readonly containerId: ContainerId; readonly running: RunningInstance; readonly active: number; readonly retiring: boolean }
  | { readonly phase: "stopping"; readonly since: number; readonly containerId: ContainerId | undefined }
  | { readonly phase: "gone"; readonly since: number };

/** An instance by its id, revision and present state. */
export interface InstanceView {
  readonly instanceId: InstanceId;
  readonly revision: Revision;
  readonly state: InstanceState;
}

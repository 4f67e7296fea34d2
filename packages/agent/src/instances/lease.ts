import type { InstanceId, LongshoreError, StartKind } from "@longshore/protocol";
import type { RunningInstance } from "../contracts/contract.ts";
import type { PreparedInstance } from "./prepared.ts";

/** Waits for a slot; one of the two is called, once. */
export interface SlotWaiter {
  /** The slot is its own until it releases it. */
  granted(lease: Lease): void;
  /** `agent_busy`, `agent_draining`, or why no instance could be started. Nothing of the invocation has run. */
  refused(error: LongshoreError): void;
}

/** One slot on one instance. */
export interface Lease {
  readonly instanceId: InstanceId;
  readonly start: StartKind;
  readonly running: RunningInstance;
  readonly prepared: PreparedInstance;
  /** No other invocation is on the instance: ending it ends this one only. */
  isAlone(): boolean;
  /** The agent is ending the instance though this invocation is on it: what becomes of it now is not the function's doing. */
  isBeingEnded(): boolean;
  /** The invocation is over. `isReusable` false: nothing further is given to the instance, and it ends once its other invocations have. */
  release(isReusable: boolean): void;
}

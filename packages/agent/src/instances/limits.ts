import type { AgentConfig } from "../config.ts";

/** What the instances of one agent may take, and how long they are kept. */
export interface PoolLimits {
  /** Memory for instances together, by their own limits. */
  readonly memoryBytes: number;
  /** Containers at once, held ones included. */
  readonly instancesMax: number;
  /** Held instances at once. */
  readonly heldMax: number;
  /** What a held instance takes: `hold` itself and the engine's process beside it. */
  readonly heldCostBytes: number;
  /** An instance without invocations is stopped after this. */
  readonly idleMs: number;
  /** How long an instance is kept from other functions after its last invocation, unless they have fewer; and a held one after its function's. */
  readonly restMs: number;
  /** Containers that are being made at once; an engine does not get faster by being asked for more. */
  readonly preparingMax: number;
  /** Of these, made ahead of need. */
  readonly refillingMax: number;
  /** Programs that may begin at once however busy the processors are. */
  readonly beginningAtOnce: number;
  /** How long after a held instance was taken the next one is made, so that the making does not slow the invocation. */
  readonly refillDelayMs: number;
  /** How long that is put off while programs begin. */
  readonly refillPatienceMs: number;
}

const mebibyte = 2 ** 20;
/** Measured: 6 to 7 MiB with the engine's shim. */
const heldCostBytes = 8 * mebibyte;

/** Limits by an agent's settings, on a host with that many processors. */
export function poolLimits(config: AgentConfig, cpuMillis: number): PoolLimits {
  return {
    memoryBytes: config.memoryBytes,
    instancesMax: config.instancesMax,
    heldMax: Math.min(config.heldMax, Math.floor(config.heldMemoryBytes / heldCostBytes)),
    heldCostBytes,
    idleMs: config.idleMs,
    restMs: 5_000,
    preparingMax: Math.max(4, Math.ceil(cpuMillis / 1000) * 2),
    beginningAtOnce: Math.max(2, Math.ceil(cpuMillis / 1000) * 2),
    refillingMax: 2,
    refillDelayMs: 50,
    refillPatienceMs: 2_000,
  };
}

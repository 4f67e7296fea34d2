import { outcomes } from "@longshore/protocol";
import { z } from "zod";
import { faultKinds } from "./fault-kinds.ts";

const text = z.string().min(1);
const count = z.number().int().nonnegative();
/** Milliseconds on the harness's one monotonic clock (`HarnessClock`), from its beginning. */
const time = z.number();

const event = <Name extends string, Shape extends z.ZodRawShape>(name: Name, shape: Shape) => z.strictObject({ event: z.literal(name), atMs: time, ...shape });
/** An invocation; `call` tells callers apart that use one invocation id. */
const ofCall = { invocationId: text, call: count.default(0) };
const outcome = z.enum(outcomes);

/** A container, network or temporary folder that bears our label or name. */
const foundSchema = z.strictObject({
  what: z.enum(["container", "network", "folder", "sandbox"]),
  name: text,
  agentId: text.optional(),
  /** Agent that lives and counts it as its own: held, idle, or the network of its instances. */
  knownTo: text.optional(),
  /** Invocations that it serves, as far as the harness knows. */
  invocationIds: z.array(text).default([]),
});
export type Found = z.infer<typeof foundSchema>;

/**
 * What happened in one run of the harness, one event a line, in the order of writing (which for ground truth, read late, is not the
 * order of time).
 */
export const historyEventSchema = z.discriminatedUnion("event", [
  /** First line. `tenants`: the marker of each, a text that stands in all its payloads and nowhere else. */
  event("opened", { seed: count, startedAt: text, machine: z.string().default(""), minutes: z.number().positive(), kinds: z.array(z.enum(faultKinds)), tenants: z.record(z.string(), text).default({}) }),
  /** About to be sent. All that is known beforehand of what may come of it. */
  event("submitted", {
    ...ofCall,
    mode: z.enum(["sync", "async", "stream"]),
    tenantId: text,
    functionName: text,
    brokerId: text,
    /** A sync caller has its answer by then (and a second); accepted work has its record by then (and a grace). */
    deadlineMs: time,
    /** Accepted work that was not begun may truly end as that from then on, however it came about. */
    expiresMs: time.optional(),
    idempotent: z.boolean(),
    retry: z.enum(["default", "never"]),
    /** Starts that the function's rules allow; default by mode, `idempotent` and `retry`. */
    mostStarts: count.optional(),
    /** Outcomes that its image gives without any fault. */
    outcomes: z.array(outcome),
    /** Reasons of errors that are true without any fault. */
    reasons: z.array(text).default([]),
    /** What a right answer is (a digest, say). */
    output: z.string().optional(),
  }),
  /** 202. */
  event("accepted", ofCall),
  /** The caller got an error of ours; a caller whose connection broke heard `connection_lost`. */
  event("refused", { ...ofCall, reason: text, phase: z.enum(["admission", "placement", "startup", "execution"]).optional() }),
  /** A sync caller has its whole answer. */
  event("answered", { ...ofCall, outcome, reason: text.optional(), agentId: text.optional(), output: z.string().optional() }),
  /** A cancel was sent, or the caller left. */
  event("cancel", { ...ofCall, how: z.enum(["request", "caller_left"]) }),
  /** Ground truth: the image's first line ran. `attempt` where the image is told it. */
  event("began", { invocationId: text, runId: text, agentId: text, attempt: count.optional() }),
  /** Ground truth: by the image's own word, or its process went away without one (`killed`: by the engine's events, or /proc). */
  event("ended", { invocationId: text, runId: text, how: z.enum(["succeeded", "failed", "killed"]), output: z.string().optional() }),
  /** Some part of Longshore said how an attempt that is not the last ended. */
  event("attempt_ended", { invocationId: text, attempt: count, outcome }),
  /** A terminal record as a broker gave it, at each reading. */
  event("record", {
    invocationId: text,
    readFrom: text,
    outcome,
    attempt: count,
    reason: text.optional(),
    agentId: text.optional(),
    output: z.string().optional(),
    /** For people: why, and the program's last words. */
    message: z.string().optional(),
    /** Its `finishedAt`. */
    finishedMs: time,
    /** Durations in it, milliseconds by name. */
    timings: z.record(z.string(), z.number()).default({}),
  }),
  /** A broker was asked, and knew of no record. */
  event("record_absent", { invocationId: text, readFrom: text }),
  /** Absent `agentIds` and `brokerIds`: it concerns all. */
  event("fault_began", { faultId: text, kind: z.enum(faultKinds), target: text, agentIds: z.array(text).optional(), brokerIds: z.array(text).optional() }),
  /** What was killed runs again, what was cut is joined. */
  event("fault_healed", {
    faultId: text,
    /** Of a failpoint: whether the process came there and died, or had to be killed from outside. */
    reached: z.boolean().optional(),
  }),
  /** Longshore showed that it knows of a fault: an agent lost in the roster, unhealthy, a refusal that names it. */
  event("noticed", { faultId: text, by: text }),
  /** Markers that stood in something one tenant could read. */
  event("markers_seen", { tenantId: text, where: text, markers: z.array(text), invocationId: text.optional() }),
  /** All that bears our label or name at that time. */
  event("sweep", { found: z.array(foundSchema) }),
  /** What an idle agent says of its capacity, before the faults and after the drain. */
  event("capacity", { agentId: text, moment: z.enum(["before", "after"]), values: z.record(z.string(), z.number()) }),
  /** What lies in an agent's outbox. */
  event("outbox", { agentId: text, waiting: z.array(text), bytes: count, quotaBytes: count }),
  /** Resident memory of one process; `part` is its name in the fleet. */
  event("memory", { part: text, processId: count, bytes: count }),
  /** Last line: all is healed and drained. */
  event("closed", {}),
]);

export type HistoryEvent = z.output<typeof historyEventSchema>;
export type EventName = HistoryEvent["event"];
/** One kind of event. */
export type EventOf<Name extends EventName> = Extract<HistoryEvent, { event: Name }>;
/** As it is handed over for writing: what has a default may be left out. */
export type HistoryInput = z.input<typeof historyEventSchema>;

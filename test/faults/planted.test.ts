import { describe, expect, it } from "vitest";
import { checkHistory } from "./checker.ts";
import type { EventName, EventOf, HistoryEvent, HistoryInput } from "./history.ts";
import { accepted, answered, byHand, closedMs, deadlineMs, fault, record, run, submittedMs, theOne } from "./imagined/by-hand.ts";
import { imagineHistory } from "./imagined/history.ts";
import type { Invariant } from "./verdict.ts";

const whole = imagineHistory(5, 3);
const violated = (history: readonly HistoryEvent[]) => [...new Set(checkHistory(history).violations.map(({ invariant }) => invariant))];

/** The first async, or sync, invocation that succeeded at once, far from any fault. */
function calmOne(mode: "async" | "sync", isWanted: (submitted: EventOf<"submitted">) => boolean = () => true): string {
  const firstFaultMs = Math.min(...whole.filter(({ event }) => event === "fault_began").map(({ atMs }) => atMs));
  const records = whole.filter((event) => event.event === "record" && event.outcome === "succeeded" && event.attempt === 1 && event.finishedMs < firstFaultMs);
  const calm = new Set(records.map((event) => (event.event === "record" ? event.invocationId : "")));
  const found = whole.find((event) => event.event === "submitted" && event.mode === mode && calm.has(event.invocationId) && isWanted(event));
  if (found?.event !== "submitted") throw new Error("the imagined history has no such invocation");
  return found.invocationId;
}

const isOf = (event: HistoryEvent, invocationId: string) => "invocationId" in event && event.invocationId === invocationId;

/** The whole history with each event of an invocation that has that name put otherwise, or left out. */
function altered<Name extends EventName>(invocationId: string | undefined, name: Name, alter: (event: EventOf<Name>, index: number) => HistoryEvent | undefined): HistoryEvent[] {
  let index = -1;
  return whole.flatMap((event) => {
    if (event.event !== name || (invocationId !== undefined && !isOf(event, invocationId))) return [event];
    index += 1;
    return alter(event as EventOf<Name>, index) ?? [];
  });
}

const without = (invocationId: string, ...names: readonly EventName[]) => whole.filter((event) => !(isOf(event, invocationId) && names.includes(event.event)));
const submittedOf = (invocationId: string) => whole.find((event) => event.event === "submitted" && event.invocationId === invocationId) as EventOf<"submitted">;
const lastMs = whole.at(-1)?.atMs ?? 0;

type Planted = readonly [what: string, invariant: Invariant, history: () => readonly HistoryEvent[]];
const secondCall = (atMs: number): HistoryInput => ({ ...(byHand({ mode: "sync" })[1] as EventOf<"submitted">), call: 1, atMs });
const onAgentA = { agentIds: ["agent-a"] };

const plantedInTheWhole: readonly Planted[] = [
  ["an accepted invocation is lost", "I1", () => without(calmOne("async"), "record")],
  ["a record comes after it was due", "I1", () => altered(calmOne("async"), "record", (event) => ({ ...event, finishedMs: lastMs - 200 }))],
  ["a record is gone when read again", "I1", () => [...whole, { event: "record_absent", atMs: lastMs - 10, invocationId: calmOne("async"), readFrom: "broker-1" }]],
  ["a record of what nobody submitted", "I2", () => [...whole, { event: "record", atMs: 5_000, invocationId: "nobody's", readFrom: "broker-1", outcome: "succeeded", attempt: 1, finishedMs: 4_000, timings: {} }]],
  ["a run of what nobody submitted", "I2", () => [...whole, { event: "began", atMs: 5_000, invocationId: "nobody's", runId: "r", agentId: "plant-a" }]],
  ["a second reading has another time", "I3", () => altered(calmOne("async"), "record", (event, index) => ({ ...event, finishedMs: event.finishedMs + index * 1_000 }))],
  ["a caller is answered twice", "I3", () => whole.flatMap((event) => (event.event === "answered" && isOf(event, calmOne("sync")) ? [event, { ...event, atMs: event.atMs + 5 }] : [event]))],
  ["a success that never ran", "I6", () => without(calmOne("async"), "began", "ended")],
  ["a success whose run had failed", "I6", () => altered(calmOne("async"), "ended", (event) => ({ ...event, how: "failed" }))],
  ["a success with another output than its run's", "I6", () => altered(calmOne("async"), "ended", (event) => ({ ...event, output: "something else" }))],
  ["a success on an agent that did not run it", "I6", () => altered(calmOne("async"), "record", (event) => ({ ...event, agentId: "elsewhere" }))],
  ["lost, and no fault explains it", "I6", () => altered(calmOne("async"), "record", (event) => ({ ...event, outcome: "lost", reason: "agent_lost" }))],
  ["failed, and its image does not fail", "I6", () => altered(calmOne("async"), "record", (event) => ({ ...event, outcome: "failed" }))],
  ["cancelled, and nobody asked", "I6", () => altered(calmOne("async"), "record", (event) => ({ ...event, outcome: "cancelled" }))],
  ["a sync caller is never answered", "I7", () => without(calmOne("sync"), "answered")],
  ["a sync caller is answered late", "I7", () => altered(calmOne("sync"), "answered", (event) => ({ ...event, atMs: submittedOf(calmOne("sync")).deadlineMs + 1_500 }))],
  ["a container is left", "I8", () => altered(undefined, "sweep", (event) => (event.atMs > lastMs - 16_000 ? { ...event, found: [...event.found, { what: "container", name: "forgotten", agentId: "plant-a", invocationIds: [calmOne("async")] }] } : event))],
  ["a network is left", "I8", () => altered(undefined, "sweep", (event) => (event.atMs > lastMs - 16_000 ? { ...event, found: [{ what: "network", name: "forgotten", invocationIds: [] }] } : event))],
  ["a slot does not come back", "I9", () => altered(undefined, "capacity", (event) => (event.moment === "after" ? { ...event, values: { ...event.values, instancesFree: 7 } } : event))],
  ["an agent tells no capacity any more", "I9", () => altered(undefined, "capacity", (event) => (event.moment === "after" && event.agentId === "plant-a" ? undefined : event))],
  ["a foreign marker in an answer", "I10", () => altered(undefined, "markers_seen", (event, index) => (index === 7 ? { ...event, markers: ["marker-3f9a", "marker-77c1"] } : event))],
  ["memory beyond the most", "I11", () => altered(undefined, "memory", (event, index) => (index === 3 ? { ...event, bytes: 2 ** 31 } : event))],
  ["memory that grows", "I11", () => altered(undefined, "memory", (event) => (event.part === "broker-1" ? { ...event, bytes: Math.round(2 ** 26 * (1 + event.atMs / lastMs)) } : event))],
  ["a result stays in the outbox", "I12", () => altered(undefined, "outbox", (event) => (event.atMs > lastMs - 1_500 ? { ...event, waiting: [calmOne("async")] } : event))],
  ["work is begun with a full outbox", "I12", () => altered(undefined, "outbox", (event) => ({ ...event, quotaBytes: 0 }))],
  ["a duration in a record is negative", "I14", () => altered(calmOne("async"), "record", (event) => ({ ...event, timings: { ...event.timings, placementMs: -0.1 } }))],
  ["a run ends before it begins", "I14", () => altered(calmOne("async"), "began", (event) => ({ ...event, atMs: event.atMs + 5_000 }))],
  ["it is accepted before it is submitted", "I14", () => altered(calmOne("async"), "accepted", (event) => ({ ...event, atMs: event.atMs - 50 }))],
];

const wrongByHand: readonly Planted[] = [
  ["a sync run whose broker died has no record", "I1", () => byHand({ mode: "sync" }, ...run("agent-a", 1_100, 4_000), { event: "refused", atMs: 2_000, invocationId: theOne, reason: "connection_lost" }, ...fault("broker_kill", 1_990, 5_000, { brokerIds: ["broker-1"] }))],
  ["records of two outcomes, each of them possible", "I3", () => byHand({ outcomes: ["succeeded", "failed"] }, accepted, ...run("agent-a", 1_100, 2_000), record(2_010), record(2_010, { outcome: "failed", readFrom: "broker-2" }))],
  ["a caller is told otherwise than the record", "I3", () => byHand({ mode: "sync", outcomes: ["succeeded", "failed"] }, ...run("agent-a", 1_100, 2_000), answered(2_010, { outcome: "failed" }), record(2_010))],
  ["it begins a fourth time", "I4", () => byHand({ idempotent: true, deadlineMs: 100_000 }, accepted, ...[2, 20, 40].flatMap((second) => run("agent-a", second * 1_000, second * 1_000 + 500, "failed")), ...run("agent-a", 60_000, 61_000), record(61_010, { attempt: 4 }))],
  ["it begins again, and its function is never to be repeated", "I4", () => byHand({ retry: "never" }, accepted, ...run("agent-a", 1_100, 1_500, "failed"), ...run("agent-a", 12_000, 12_100), record(12_110, { attempt: 2 }))],
  ["a sync call begins again", "I4", () => byHand({ mode: "sync" }, ...run("agent-a", 1_100, 1_500, "failed"), ...run("agent-b", 1_600, 1_700), answered(1_710))],
  ["it begins again after it had been lost", "I4", () => byHand({}, accepted, ...run("agent-a", 1_100, 1_500, "failed"), { event: "attempt_ended", atMs: 1_700, invocationId: theOne, attempt: 1, outcome: "lost" }, ...run("agent-b", 12_000, 12_100), record(12_110, { attempt: 2 }))],
  ["it begins again after it had succeeded", "I4", () => byHand({}, accepted, ...run("agent-a", 1_100, 1_500), ...run("agent-b", 12_000, 12_100), record(12_110, { attempt: 2 }))],
  ["it begins again after its agent died under it", "I4", () => byHand({}, accepted, ...run("agent-a", 1_100, 3_000, "killed"), ...fault("agent_kill", 1_200, 2_900, onAgentA), ...run("agent-b", 12_000, 12_100), record(12_110, { attempt: 2, agentId: "agent-b" }))],
  ["two runs at once", "I5", () => byHand({}, accepted, ...run("agent-a", 1_100, 5_000), ...run("agent-b", 3_000, 4_000), record(5_010))],
  ["a run whose end nobody saw, and another", "I5", () => byHand({}, accepted, ...run("agent-a", 1_100, 5_000).slice(0, 1), ...run("agent-b", 13_000, 14_000), record(14_010))],
  ["lost, and the fault was on another agent", "I6", () => byHand({}, accepted, ...run("agent-a", 1_100, 5_000), ...fault("agent_kill", 2_000, 3_000, { agentIds: ["agent-b"] }), record(5_010, { outcome: "lost", reason: "agent_lost", agentId: "agent-a" }))],
  ["lost, and the fault was long before", "I6", () => byHand({ deadlineMs: 150_000 }, accepted, ...run("agent-a", 120_000, 125_000), ...fault("agent_kill", 100, 900, onAgentA), record(125_010, { outcome: "lost", reason: "agent_lost", agentId: "agent-a" })).map((event) => (event.event === "submitted" ? { ...event, atMs: 60_000 } : event)).map((event) => (event.event === "accepted" ? { ...event, atMs: 60_005 } : event))],
  ["lost to a fault that loses nothing", "I6", () => byHand({}, accepted, ...run("agent-a", 1_100, 5_000), ...fault("cancels", 1_050, 2_000), record(5_010, { outcome: "lost", reason: "agent_lost", agentId: "agent-a" }))],
  ["expired before its time", "I6", () => byHand({ expiresMs: 90_000 }, accepted, record(50_000, { outcome: "expired" }))],
  ["a reason that is not the fault's", "I6", () => byHand({}, accepted, ...run("agent-a", 1_100, 5_000), ...fault("agent_kill", 2_000, 3_000, onAgentA), record(5_010, { outcome: "lost", reason: "engine_unavailable", agentId: "agent-a" }))],
  ["rejected as not begun, though it ran", "I6", () => byHand({ outcomes: ["rejected"], reasons: ["no_free_slot"] }, accepted, ...run("agent-a", 1_100, 2_000), record(2_010, { outcome: "rejected", reason: "no_free_slot" }))],
  ["refused before it began, though it ran", "I6", () => byHand({ mode: "sync", reasons: ["no_free_slot"] }, ...run("agent-a", 1_100, 2_000), { event: "refused", atMs: 2_010, invocationId: theOne, reason: "no_free_slot", phase: "placement" })],
  ["a connection broke, and no broker was away", "I6", () => byHand({ mode: "sync" }, { event: "refused", atMs: 2_010, invocationId: theOne, reason: "connection_lost" })],
  ["a connection broke, and another broker was away", "I6", () => byHand({ mode: "sync" }, { event: "refused", atMs: 2_010, invocationId: theOne, reason: "connection_lost" }, ...fault("broker_kill", 1_990, 5_000, { brokerIds: ["broker-2"] }))],
  ["lost, and its agent died only later", "I6", () => byHand({}, accepted, ...run("agent-a", 1_100, 5_000), record(5_010, { outcome: "lost", reason: "agent_lost", agentId: "agent-a" }), ...fault("agent_kill", 6_000, 7_000, onAgentA))],
  ["cancelled while it still ran", "I6", () => byHand({}, accepted, ...run("agent-a", 1_100, 9_000, "killed"), { event: "cancel", atMs: 2_000, invocationId: theOne, how: "request" }, record(2_500, { outcome: "cancelled" }))],
  ["a success with a wrong output", "I6", () => byHand({ output: "other" }, accepted, ...run("agent-a", 1_100, 2_000), record(2_010, { output: "right" }))],
  ["a success that was told before its run had ended", "I6", () => byHand({}, accepted, ...run("agent-a", 1_100, 5_000), record(3_000))],
  ["one of two callers of one id is never answered", "I7", () => byHand({ mode: "sync" }, secondCall(1_500), ...run("agent-a", 1_100, 2_000), answered(2_020, { call: 1 }))],
  ["a result is dropped from the outbox", "I12", () => byHand({}, accepted, ...run("agent-a", 1_100, 2_000), ...fault("link_cut", 1_500, 20_000, onAgentA), { event: "outbox", atMs: 5_000, agentId: "agent-a", waiting: [theOne], bytes: 1, quotaBytes: 9 }, { event: "outbox", atMs: 6_000, agentId: "agent-a", waiting: [], bytes: 0, quotaBytes: 9 }, record(25_000, { outcome: "lost", reason: "agent_lost", agentId: "agent-a" }))],
  ["nothing succeeds after heal", "I13", () => byHand({ outcomes: ["failed"] }, ...fault("nats_kill", 100, 500), accepted, ...run("agent-a", 1_100, 2_000, "failed"), record(2_010, { outcome: "failed" }))],
  ["what succeeded before a fault does not after its heal", "I13", () => byHand({ mode: "sync" }, ...run("agent-a", 1_100, 1_400), answered(1_410), ...fault("nats_kill", 1_500, 1_600), secondCall(2_000), { event: "refused", atMs: 2_100, invocationId: theOne, call: 1, reason: "bus_down" })],
  ["the first success after heal is slow", "I13", () => byHand({ deadlineMs: 100_000 }, ...fault("nats_kill", 100, 500), accepted, ...run("agent-a", 60_000, 61_000), record(61_010))],
  ["it is over before it is submitted", "I14", () => byHand({ outcomes: ["rejected"], reasons: ["quota"] }, accepted, record(submittedMs - 500, { atMs: 3_000, outcome: "rejected", reason: "quota" }))],
];

/** What looks like the above and is right. */
const rightByHand: readonly (readonly [what: string, history: () => readonly HistoryEvent[]])[] = [
  ["a sync run whose broker died, with its record", () => byHand({ mode: "sync" }, ...run("agent-a", 1_100, 4_000), { event: "refused", atMs: 2_000, invocationId: theOne, reason: "connection_lost" }, ...fault("broker_kill", 1_990, 5_000, { brokerIds: ["broker-1"] }), record(4_010))],
  ["a record after the deadline, for a link that was cut until then", () => byHand({}, accepted, ...run("agent-a", 1_100, 2_000), ...fault("link_cut", 1_500, 90_000, onAgentA), record(100_000))],
  ["three attempts of a function that fails twice", () => byHand({ deadlineMs: 100_000 }, accepted, ...run("agent-a", 1_100, 1_500, "failed"), ...run("agent-b", 12_000, 12_500, "failed"), ...run("agent-a", 73_000, 74_000), record(74_010, { attempt: 3 }))],
  ["an idempotent one that runs twice at once", () => byHand({ idempotent: true }, accepted, ...run("agent-a", 1_100, 5_000), ...run("agent-b", 3_000, 4_000), record(4_010))],
  ["begun again after a container was killed over its success", () => byHand({}, accepted, ...run("agent-a", 1_100, 1_500), ...fault("container_kill", 1_490, 1_510, onAgentA), ...run("agent-b", 12_000, 12_100), record(12_110, { attempt: 2, agentId: "agent-b" }))],
  ["an idempotent one that is begun again after its agent died under it", () => byHand({ idempotent: true }, accepted, ...run("agent-a", 1_100, 3_000, "killed"), ...fault("agent_kill", 1_200, 2_900, onAgentA), ...run("agent-b", 12_000, 12_100), record(12_110, { attempt: 2, agentId: "agent-b" }))],
  ["a refusal during execution, of what ran", () => byHand({ mode: "sync" }, ...run("agent-a", 1_100, 3_000, "killed"), ...fault("agent_kill", 1_200, 2_900, onAgentA), { event: "refused", atMs: 2_000, invocationId: theOne, reason: "agent_lost", phase: "execution" })],
  ["expired in its time, with no fault at all", () => byHand({ expiresMs: 90_000, deadlineMs: 100_000 }, accepted, record(90_010, { outcome: "expired" }))],
  ["lost with its agent", () => byHand({}, accepted, ...run("agent-a", 1_100, 5_000), ...fault("agent_kill", 2_000, 3_000, onAgentA), record(5_010, { outcome: "lost", reason: "agent_lost", agentId: "agent-a" }))],
  ["a caller that left, and hears nothing", () => byHand({ mode: "sync" }, ...run("agent-a", 1_100, 2_100, "killed"), { event: "cancel", atMs: 2_000, invocationId: theOne, how: "caller_left" }, record(2_110, { outcome: "cancelled", reason: "caller_gone" }))],
  ["two callers of one id, with one result", () => byHand({ mode: "sync" }, secondCall(1_500), ...run("agent-a", 1_100, 2_000), answered(2_010), answered(2_020, { call: 1 }))],
  ["a refusal with nothing begun", () => byHand({ mode: "sync", reasons: ["no_free_slot"] }, { event: "refused", atMs: 2_010, invocationId: theOne, reason: "no_free_slot", phase: "placement" })],
  ["an async submission whose connection broke, and that ran all the same", () => byHand({}, { event: "refused", atMs: 2_000, invocationId: theOne, reason: "connection_lost" }, ...fault("broker_kill", 1_990, 5_000, { brokerIds: ["broker-1"] }), ...run("agent-a", 2_100, 4_000), record(4_010))],
  ["a container of an invocation that still runs", () => byHand({ deadlineMs: 100_000 }, accepted, { event: "sweep", atMs: 50_000, found: [{ what: "container", name: "busy", invocationIds: [theOne] }] }, ...run("agent-a", 1_100, 60_000), record(60_010))],
  ["something left, while a fault is not long healed", () => byHand({}, accepted, ...run("agent-a", 1_100, 2_000), record(2_010), ...fault("agent_kill", 10_000, 20_000, onAgentA), { event: "sweep", atMs: 45_000, found: [{ what: "container", name: "orphan" }] }, { event: "sweep", atMs: 51_000, found: [] })],
  ["a result that waits in the outbox until the link is back", () => byHand({}, accepted, ...run("agent-a", 1_100, 2_000), ...fault("link_cut", 1_500, 20_000, onAgentA), { event: "outbox", atMs: 5_000, agentId: "agent-a", waiting: [theOne], bytes: 9, quotaBytes: 9 }, { event: "outbox", atMs: 22_000, agentId: "agent-a", waiting: [], bytes: 0, quotaBytes: 9 }, record(2_000, { atMs: 21_000 }))],
  ["a failure that left the outbox, was begun again, and then lost", () => byHand({}, accepted, ...run("agent-a", 1_100, 2_000, "failed"), { event: "outbox", atMs: 2_500, agentId: "agent-a", waiting: [theOne], bytes: 9, quotaBytes: 99 }, { event: "outbox", atMs: 3_500, agentId: "agent-a", waiting: [], bytes: 0, quotaBytes: 99 }, ...run("agent-b", 12_000, 13_000, "killed"), ...fault("agent_kill", 12_500, 12_900, { agentIds: ["agent-b"] }), record(13_010, { outcome: "lost", reason: "agent_lost", agentId: "agent-b", attempt: 2 }))],
  ["no success after a heal that another fault follows", () => byHand({ outcomes: ["failed"] }, ...fault("nats_kill", 100, 500), ...fault("nats_kill", 5_000, closedMs - 10_000), accepted, ...run("agent-a", 1_100, 2_000, "failed"), record(2_010, { outcome: "failed" }))],
];

describe("the checker", () => {
  it("has nothing to say of the whole before anything is planted", () => {
    expect(violated(whole)).toEqual([]);
  });

  it.each(plantedInTheWhole)("catches among much that is right: %s (%s)", (_, invariant, history) => {
    expect(violated(history())).toEqual([invariant]);
  });

  it.each(wrongByHand)("catches: %s (%s)", (_, invariant, history) => {
    expect(violated(history())).toEqual([invariant]);
  });

  it.each(rightByHand)("lets pass: %s", (_, history) => {
    expect(checkHistory(history()).violations).toEqual([]);
  });

  it("has caught each invariant broken", () => {
    expect(new Set([...plantedInTheWhole, ...wrongByHand].map(([, invariant]) => invariant)).size).toBe(14);
  });

  it("names the invocation, says what is wrong in a sentence, and shows the events", () => {
    const [violation] = checkHistory(byHand({ retry: "never" }, accepted, ...run("agent-a", 1_100, 1_500, "failed"), ...run("agent-a", 12_000, 12_100), record(12_110, { attempt: 2 }))).violations;
    expect(violation).toMatchObject({ invariant: "I4", invocationId: theOne, sentence: "It began 2 times, where its function allows 1" });
    expect(violation?.events.map(({ event }) => event)).toEqual(["submitted", "began", "ended", "began", "ended"]);
  });

  it("does not take what is not yet due for lost in a history that was broken off", () => {
    const brokenOff = (lastMs: number) => byHand({}, accepted, { event: "sweep", atMs: lastMs, found: [] } satisfies HistoryInput).filter(({ event }) => event !== "closed");
    expect(violated(brokenOff(deadlineMs + 29_000))).toEqual([]);
    expect(violated(brokenOff(deadlineMs + 31_000))).toEqual(["I1"]);
  });

  it("counts what it found in its figures", () => {
    const { figures } = checkHistory([...byHand({}, accepted, ...fault("agent_kill", 500, 900, onAgentA), { event: "noticed", atMs: 700, faultId: "agent_kill-500", by: "roster" }, ...run("agent-a", 1_100, 1_500), ...run("agent-a", 3_000, 3_500), record(3_510, { agentId: "agent-a" }))]);
    expect(figures).toMatchObject({ submitted: 1, accepted: 1, lostAccepted: 0, doubledRecords: 0, secondStarts: 1, wrongReasons: 0, orphans: 0, faults: 1, detection: { count: 1, medianMs: 200, mostMs: 200 }, recovery: { count: 1, medianMs: 2_610 } });
  });
});

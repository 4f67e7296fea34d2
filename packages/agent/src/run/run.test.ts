import { type AnswerHead, type InvocationResult, LongshoreError } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { testRevision } from "../testing/revision.ts";
import { createRunScene, type FakeReply, soon } from "./testing/run-scene.ts";

const bytes = (length: number) => Buffer.alloc(length, "x");
const stdio = testRevision({ name: "words", contract: "stdio" });
const busy = new LongshoreError("agent_busy", "Cannot run: no free slot", { phase: "admission" });
const ok: InvocationResult = { outcome: "succeeded", status: 200 };

/** The one terminal message, whichever it was. */
function ending({ answers }: FakeReply): { result?: InvocationResult; refused?: LongshoreError; head?: AnswerHead; body?: string } {
  const terminal = answers.filter((answer) => !("head" in answer || "data" in answer));
  expect(terminal).toHaveLength(1);
  expect(terminal[0]).toBe(answers.at(-1));
  const [last] = terminal;
  if (last === undefined) throw new Error("unreachable");
  if ("complete" in last) return { result: last.complete.result as InvocationResult, head: last.complete, body: last.body };
  return "end" in last ? { result: last.end.result } : { refused: (last as { refuse: LongshoreError }).refuse };
}

describe("an answer", () => {
  it("that is small goes out in one message, with where it ran and how long each part took", async () => {
    const scene = createRunScene();
    const { reply } = scene.open({}, "hello");
    scene.clock.advance(7);
    const { run, slot } = scene.grant("held");
    expect(run.call).toMatchObject({ body: Buffer.from("hello"), more: false, upgrade: false });
    run.answer.head({ status: 200, headers: [["a", "b"]] }, 5);
    await soon();
    expect(reply.answers).toEqual([]);
    run.answer.data(Buffer.from("wor"));
    run.answer.data(Buffer.from("ld"));
    scene.clock.advance(3);
    run.answer.end({ kind: "finished", result: ok, reusable: true });
    expect(reply.answers).toEqual([{ complete: { complete: true, status: 200, headers: [["a", "b"]], start: "held", instanceId: "i-1", startMs: 7, runMs: 3, result: ok }, body: "world" }]);
    expect(slot.releases).toEqual([true]);
    expect(scene.journal).toEqual(["start 1 i-1", "invoke", "end 1 succeeded"]);
    expect(scene.clock.pending).toBe(0);
  });

  it("of unknown length whose end follows at once goes out in one message too", () => {
    const scene = createRunScene();
    const { reply } = scene.open();
    const { run } = scene.grant();
    run.answer.head({ status: 200, headers: [] });
    run.answer.data(Buffer.from("x"));
    run.answer.end({ kind: "finished", result: ok, reusable: true });
    expect(ending(reply)).toMatchObject({ body: "x", result: ok });
  });

  it("of unknown length whose end does not follow goes out as it comes", async () => {
    const scene = createRunScene();
    const { reply } = scene.open();
    const { run } = scene.grant();
    run.answer.head({ status: 200, headers: [] });
    await soon();
    run.answer.data(Buffer.from("one"));
    run.answer.data(Buffer.from("two"));
    run.answer.end({ kind: "finished", result: ok, reusable: true });
    expect(reply.answers.map((answer) => Object.keys(answer)[0])).toEqual(["head", "data", "data", "end"]);
    expect(ending(reply).result).toEqual(ok);
  });

  it("that is known to be long begins at once", () => {
    const scene = createRunScene();
    const { reply } = scene.open();
    scene.grant().run.answer.head({ status: 200, headers: [] }, 64 * 1024 + 1);
    expect(reply.answers).toEqual([{ head: expect.objectContaining({ complete: false, status: 200, instanceId: "i-1" }) as unknown }]);
  });

  it("that turns out to be long begins when it does, and slows its source as its reader says", () => {
    const scene = createRunScene();
    const { handle, reply } = scene.open();
    const { run } = scene.grant();
    reply.hasRoom = false;
    run.answer.head({ status: 200, headers: [] });
    run.answer.data(bytes(64 * 1024));
    expect(reply.answers).toEqual([]);
    expect(run.told).toEqual([]);
    run.answer.data(bytes(1));
    expect(reply.answers.map((answer) => Object.keys(answer)[0])).toEqual(["head", "data", "data"]);
    expect(run.told).toEqual(["pause"]);
    handle.resume();
    expect(run.told).toEqual(["pause", "resume"]);
  });

  it("of a program is held for 50 ms, since only its end tells whether it succeeded", () => {
    const scene = createRunScene({ revision: stdio });
    const { reply } = scene.open();
    const { run } = scene.grant();
    run.answer.head({ headers: [] });
    run.answer.data(Buffer.from("first"));
    scene.clock.advance(49);
    expect(reply.answers).toEqual([]);
    scene.clock.advance(1);
    expect(reply.answers).toEqual([{ head: expect.anything() as unknown }, { data: "first" }]);
  });

  it("of a program that fails soon after its first words is told by one message", async () => {
    const scene = createRunScene({ revision: stdio });
    const { reply } = scene.open();
    const { run, slot } = scene.grant();
    run.answer.head({ headers: [] });
    run.answer.data(Buffer.from("first"));
    run.answer.log("stderr", Buffer.from("no such file\n"));
    run.answer.end({ kind: "finished", result: { outcome: "failed", exitCode: 3 }, reusable: false });
    await soon();
    expect(ending(reply)).toMatchObject({ result: { outcome: "failed", exitCode: 3, stderrTail: "no such file\n" }, body: "first" });
    expect(slot.logged).toEqual(["of 36", "stderr no such file\n"]);
    expect(slot.releases).toEqual([false]);
  });
});

describe("a run that gets no instance", () => {
  it("is refused with the pool's reason", () => {
    const scene = createRunScene();
    scene.onAcquire = (waiter) => waiter.refused(busy);
    expect(ending(scene.open().reply).refused).toBe(busy);
    expect(scene.journal).toEqual([]);
    expect(scene.clock.pending).toBe(0);
  });

  it("is refused where the agent does not know the revision, and takes it from an order that brings it", async () => {
    const scene = createRunScene({ knows: false });
    const { reply, handle } = scene.open();
    handle.cancel("requested");
    await soon();
    expect(ending(reply).refused).toMatchObject({ reason: "revision_unknown", phase: "admission" });
    scene.open({ revision: scene.revision });
    scene.open();
    expect(scene.waiters).toHaveLength(2);
  });

  it("is refused as deadline_passed when its time is over before", () => {
    const scene = createRunScene();
    const { reply } = scene.open({ remainingMs: 100 });
    scene.clock.advance(100);
    expect(ending(reply).refused).toMatchObject({ reason: "deadline_passed", phase: "startup" });
    expect(scene.waiters).toEqual([]);
  });

  it("is cancelled without having begun", () => {
    const scene = createRunScene();
    const { reply, handle } = scene.open();
    handle.cancel("abandoned");
    handle.cancel("requested");
    expect(ending(reply)).toMatchObject({ result: { outcome: "cancelled", message: "Cancelled before it began" } });
    expect(scene.waiters).toEqual([]);
    expect(scene.journal).toEqual([]);
  });
});

describe("a failure", () => {
  it("that the function answered is passed through, and its instance goes on", async () => {
    const scene = createRunScene();
    const { reply } = scene.open();
    const { run, slot } = scene.grant();
    slot.stderrTail = "boom\n";
    run.answer.head({ status: 500, headers: [] }, 3);
    run.answer.data(Buffer.from("bad"));
    run.answer.end({ kind: "finished", result: { outcome: "failed", status: 500 }, reusable: true });
    await soon();
    expect(ending(reply)).toMatchObject({ head: { status: 500 }, result: { outcome: "failed", status: 500, stderrTail: "boom\n" }, body: "bad" });
    expect(slot.releases).toEqual([true]);
    expect(scene.journal.at(-1)).toBe("end 1 failed");
  });

  it("with a process that the kernel had killed for memory is oom_killed, and its instance ends", async () => {
    const scene = createRunScene();
    const { reply } = scene.open();
    const { run, slot } = scene.grant();
    slot.evidence = { exit: undefined, sawOutOfMemory: true };
    run.answer.head({ status: 500, headers: [] }, 0);
    run.answer.end({ kind: "finished", result: { outcome: "failed", status: 500 }, reusable: true });
    await soon();
    expect(ending(reply).result).toMatchObject({ outcome: "oom_killed", status: 500 });
    expect(slot.releases).toEqual([false]);
  });

  it("by SIGKILL waits for the engine to say whether memory was the cause", async () => {
    const scene = createRunScene({ revision: stdio });
    const { reply } = scene.open();
    const { run, slot } = scene.grant();
    run.answer.end({ kind: "finished", result: { outcome: "failed", exitCode: 137 }, reusable: false });
    await soon();
    expect(reply.answers).toEqual([]);
    slot.exits({ exitCode: 137, oomKilled: true });
    await soon();
    expect(ending(reply).result).toMatchObject({ outcome: "oom_killed", exitCode: 137 });
  });

  it.each([
    [{ exitCode: 3 }, { outcome: "failed", exitCode: 3, message: "it closed the connection: it exited with code 3" }],
    [{ exitCode: 139 }, { outcome: "failed", signal: "SIGSEGV", message: "it closed the connection: it was ended by SIGSEGV" }],
    [{ exitCode: 137, oomKilled: true }, { outcome: "oom_killed", signal: "SIGKILL", message: "it closed the connection: it ran out of memory" }],
    [{}, { outcome: "failed", message: "it closed the connection: its container was removed" }],
  ])("by a broken connection is told by how the container ended (%o)", async (exit, result) => {
    const scene = createRunScene();
    const { reply } = scene.open();
    const { run, slot } = scene.grant();
    run.answer.head({ status: 200, headers: [] }, 10);
    run.answer.data(Buffer.from("half"));
    run.answer.end({ kind: "broken", message: "it closed the connection", notStarted: false });
    slot.stderrTail = "last words";
    slot.exits(exit);
    await soon();
    expect(ending(reply)).toEqual({ result: { ...result, stderrTail: "last words" }, body: "", head: expect.not.objectContaining({ status: 200 }) as unknown });
    expect(slot.releases).toEqual([false]);
  });

  it("by a broken connection to an instance that lives on is the function's", async () => {
    const scene = createRunScene();
    const { reply } = scene.open();
    const { run, slot } = scene.grant();
    slot.exits({});
    slot.evidence = { exit: undefined, sawOutOfMemory: false };
    run.answer.end({ kind: "broken", message: "it closed the connection", notStarted: false });
    await soon();
    expect(ending(reply).result).toEqual({ outcome: "failed", message: "it closed the connection" });
    expect(slot.releases).toEqual([true]);
  });

  it("of an instance that the agent was ending is no fault of the function: lost", async () => {
    for (const end of [{ kind: "broken", message: "closed", notStarted: false }, { kind: "finished", result: { outcome: "failed", signal: "SIGTERM" }, reusable: false }] as const) {
      const scene = createRunScene();
      const { reply } = scene.open();
      const { run, slot } = scene.grant();
      slot.isBeingEnded = true;
      run.answer.end(end);
      slot.exits({ exitCode: 143 });
      await soon();
      expect(ending(reply).result).toMatchObject({ outcome: "lost", error: { reason: "agent_lost", phase: "execution" } });
    }
  });

  it("that the function answered while the agent was ending it stays the function's", async () => {
    const scene = createRunScene();
    const { reply } = scene.open();
    const { run, slot } = scene.grant();
    slot.isBeingEnded = true;
    run.answer.end({ kind: "finished", result: { outcome: "failed", status: 503 }, reusable: true });
    await soon();
    expect(ending(reply).result).toEqual({ outcome: "failed", status: 503 });
  });

  it("of our own is refused as the contract says", () => {
    const scene = createRunScene();
    const { reply } = scene.open();
    const { run, slot } = scene.grant();
    const error = new LongshoreError("bad_header", "Cannot pass on the request", { phase: "admission" });
    run.answer.end({ kind: "refused", error, reusable: true });
    run.answer.end({ kind: "finished", result: ok, reusable: true });
    expect(ending(reply).refused).toBe(error);
    expect(slot.releases).toEqual([true]);
    expect(scene.journal.at(-1)).toBe("end 1 bad_header");
    expect(scene.clock.pending).toBe(0);
  });

  it("to write the start record begins nothing and spares the instance", () => {
    const scene = createRunScene();
    const { reply } = scene.open();
    scene.onJournal = () => {
      throw new Error("no space left");
    };
    const { slot } = scene.grant();
    expect(ending(reply).refused).toMatchObject({ reason: "unexpected", phase: "startup" });
    expect(slot.releases).toEqual([true]);
    expect(scene.journal).toEqual([]);
  });

  it("of the contract itself gives the slot back", () => {
    const scene = createRunScene();
    const { reply } = scene.open();
    scene.onInvoke = () => {
      throw new LongshoreError("bad_schema", "Cannot begin program: environment is over 1 MiB", { field: "env" });
    };
    const { slot } = scene.grant();
    expect(ending(reply).refused).toMatchObject({ reason: "bad_schema", phase: "execution" });
    expect(slot.releases).toEqual([false]);
    expect(scene.journal).toEqual(["start 1 i-1", "invoke", "end 1 bad_schema"]);
  });
});

describe("a run that is to be written down first", () => {
  it("reaches its instance once it has been, with what came of its body meanwhile", async () => {
    const scene = createRunScene();
    const written = Promise.withResolvers<void>();
    const { reply, handle } = scene.open({ more: true }, "first", () => written.promise);
    scene.grant();
    handle.data(Buffer.from("second"));
    await soon();
    expect(scene.runs).toEqual([]);
    written.resolve();
    await soon();
    const [run] = scene.runs;
    expect([Buffer.from(run?.call.body ?? []).toString(), run?.told]).toEqual(["first", ["write 6"]]);
    run?.answer.head({ status: 200, headers: [] }, 0);
    run?.answer.end({ kind: "finished", result: ok, reusable: true });
    expect(ending(reply).result).toEqual(ok);
  });

  it("begins nothing when it cannot be, and spares the instance", async () => {
    const scene = createRunScene();
    const { reply } = scene.open({}, "", () => Promise.reject(new Error("ENOSPC")));
    const { slot } = scene.grant();
    await soon();
    expect(scene.runs).toEqual([]);
    expect(ending(reply).refused).toMatchObject({ reason: "unexpected", phase: "startup" });
    expect(slot.releases).toEqual([true]);
  });

  it("and is cancelled meanwhile never reaches its instance", async () => {
    const scene = createRunScene();
    const written = Promise.withResolvers<void>();
    const { reply, handle } = scene.open({}, "", () => written.promise);
    const { slot } = scene.grant();
    handle.cancel("requested");
    slot.gone();
    written.resolve();
    await soon();
    expect(scene.runs).toEqual([]);
    expect(ending(reply).result).toMatchObject({ outcome: "cancelled" });
    expect(slot.releases).toHaveLength(1);
  });
});

describe("an instance that took nothing", () => {
  const notStarted = { kind: "broken", message: "it did not take a connection", notStarted: true } as const;

  it("is ended and another one tried, each start written down with its end", () => {
    const scene = createRunScene();
    const { reply } = scene.open({}, "body");
    const first = scene.grant();
    first.run.answer.end(notStarted);
    expect(first.slot.releases).toEqual([false]);
    const second = scene.grant("cold");
    expect(second.run.call.body.toString()).toBe("body");
    second.run.answer.end({ kind: "finished", result: ok, reusable: true });
    expect(ending(reply)).toMatchObject({ result: ok, head: { instanceId: "i-2", start: "cold" } });
    expect(scene.journal).toEqual(["start 1 i-1", "invoke", "end 1 not_started", "start 1 i-2", "invoke", "end 1 succeeded"]);
  });

  it("is not followed by a third", () => {
    const scene = createRunScene();
    const { reply } = scene.open();
    for (let attempt = 0; attempt < 3; attempt += 1) scene.grant().run.answer.end(notStarted);
    expect(ending(reply).refused).toMatchObject({ reason: "instance_start_failed", phase: "startup" });
    expect(scene.slots.map(({ releases }) => releases)).toEqual([[false], [false], [false]]);
  });

  it("is followed by none where the request is not at hand from its beginning any more", () => {
    const scene = createRunScene();
    const { reply, handle } = scene.open({ more: true });
    const { run } = scene.grant();
    handle.data(bytes(10));
    run.answer.end(notStarted);
    expect(ending(reply).refused).toMatchObject({ reason: "instance_start_failed", phase: "startup" });
    expect(reply.consumedBytes).toBe(10);
  });

  it("leaves a request whose rest is still to come to the next one", () => {
    const scene = createRunScene();
    const { handle } = scene.open({ more: true }, "begin");
    scene.grant().run.answer.end(notStarted);
    handle.data(bytes(10));
    handle.endRequest();
    expect(scene.grant().run.told).toEqual(["write 10", "end"]);
  });

  it("at the very moment it was given the invocation is followed by another as well", () => {
    const scene = createRunScene();
    const { reply, handle } = scene.open({ more: true });
    scene.onInvoke = ({ answer }) => {
      scene.onInvoke = () => undefined;
      answer.end(notStarted);
    };
    scene.grant();
    handle.data(bytes(5));
    const { run } = scene.grant();
    expect(scene.runs[0]?.told).toEqual([]);
    expect(run.told).toEqual(["write 5"]);
    run.answer.end({ kind: "finished", result: ok, reusable: true });
    expect(ending(reply).result).toEqual(ok);
  });
});

describe("a time limit", () => {
  it("ends a run that has its instance for itself, tells the caller at once and drops what was not sent", () => {
    const scene = createRunScene();
    const { reply } = scene.open({ remainingMs: 1_000 });
    const { run, slot } = scene.grant();
    slot.stderrTail = "still working\n";
    run.answer.head({ status: 200, headers: [] }, 10);
    run.answer.data(Buffer.from("half"));
    scene.clock.advance(1_000);
    expect(ending(reply)).toMatchObject({ result: { outcome: "timed_out", message: "The function did not finish within 1000 ms", stderrTail: "still working\n" }, body: "" });
    expect(ending(reply).result).not.toHaveProperty("stopProven");
    expect(run.told).toEqual(["abort"]);
    expect(slot.releases).toEqual([false]);
    expect(scene.journal.at(-1)).toBe("end 1 timed_out");
  });

  it("of accepted work is for its run: it begins once an instance is there, and its end is told once that is gone", async () => {
    const scene = createRunScene();
    const { reply } = scene.open({ remainingMs: 1_000 }, "", () => Promise.resolve());
    scene.clock.advance(900);
    const { slot } = scene.grant();
    await soon();
    const [run] = scene.runs;
    expect(run?.call.deadlineAtMs).toBe(scene.clock.wallMs() + 1_000);
    scene.clock.advance(999);
    expect(run?.told).toEqual([]);
    scene.clock.advance(1);
    expect(run?.told).toEqual(["abort"]);
    await soon();
    expect([reply.answers, slot.stops]).toEqual([[], 1]);
    slot.gone();
    await soon();
    expect(ending(reply).result).toMatchObject({ outcome: "timed_out" });
  });

  it("does not end accepted work that waits for an instance before that may have started", () => {
    const scene = createRunScene();
    const { reply } = scene.open({ remainingMs: 1_000 }, "", () => Promise.resolve());
    scene.clock.advance(59_999);
    expect(reply.answers).toEqual([]);
    scene.clock.advance(1);
    expect(reply.answers).toMatchObject([{ refuse: { reason: "deadline_passed" } }]);
  });

  it("of a run beside others closes this one only, and says that it may go on", () => {
    const scene = createRunScene();
    const { reply } = scene.open({ remainingMs: 1_000 });
    const { slot } = scene.grant();
    slot.isAlone = false;
    scene.clock.advance(1_000);
    expect(ending(reply).result).toMatchObject({ outcome: "timed_out", stopProven: false });
    expect(slot.releases).toEqual([false]);
    expect(slot.stops).toBe(0);
  });

  it("ends an answer that has begun", async () => {
    const scene = createRunScene();
    const { reply } = scene.open({ remainingMs: 1_000 });
    const { run } = scene.grant();
    run.answer.head({ status: 200, headers: [] });
    await soon();
    scene.clock.advance(1_000);
    run.answer.data(Buffer.from("late"));
    run.answer.end({ kind: "finished", result: ok, reusable: true });
    expect(reply.answers.map((answer) => Object.keys(answer)[0])).toEqual(["head", "end"]);
    expect(ending(reply).result?.outcome).toBe("timed_out");
  });

  it("is for the answer: a tunnel has an hour of its own", () => {
    const scene = createRunScene();
    const { reply } = scene.open({ remainingMs: 1_000, upgrade: true, more: true });
    const { run } = scene.grant();
    expect(run.call.upgrade).toBe(true);
    run.answer.head({ status: 101, headers: [] });
    expect(reply.answers).toHaveLength(1);
    scene.clock.advance(3_599_999);
    expect(reply.answers).toHaveLength(1);
    scene.clock.advance(1);
    expect(ending(reply).result).toMatchObject({ outcome: "timed_out", message: "The function did not finish within 3600000 ms" });
  });
});

describe("a cancel", () => {
  it("of a run that has its instance for itself is told once the container is gone", async () => {
    const scene = createRunScene();
    const { reply, handle } = scene.open();
    const { run, slot } = scene.grant();
    handle.cancel("requested");
    handle.cancel("abandoned");
    run.answer.end({ kind: "broken", message: "closed", notStarted: false });
    scene.clock.advance(60_000);
    await soon();
    expect(reply.answers).toEqual([]);
    expect(slot).toMatchObject({ stops: 1, releases: [false] });
    slot.gone();
    await soon();
    expect(ending(reply).result).toEqual({ outcome: "cancelled", message: "Cancelled by request" });
    expect(scene.journal.filter((line) => line.startsWith("end"))).toEqual(["end 1 cancelled"]);
    expect(scene.clock.pending).toBe(0);
  });

  it("of a run beside others is told at once, and that it may go on", () => {
    const scene = createRunScene();
    const { reply, handle } = scene.open();
    const { slot } = scene.grant();
    slot.isAlone = false;
    handle.cancel("abandoned");
    expect(ending(reply).result).toEqual({ outcome: "cancelled", message: "The caller went away", stopProven: false });
    expect(slot).toMatchObject({ stops: 0, releases: [false] });
  });

  it("by a reader that leaves in the midst of an answer spares a server of many, and only that", () => {
    for (const [concurrency, reason, isSpared] of [[80, "abandoned", true], [80, "requested", false], [1, "abandoned", false]] as const) {
      const scene = createRunScene({ revision: testRevision({ concurrency }) });
      const { reply, handle } = scene.open();
      const { run, slot } = scene.grant();
      run.answer.head({ status: 200, headers: [] });
      handle.cancel(reason);
      expect(run.told).toEqual(["abort"]);
      expect(slot).toMatchObject({ stops: isSpared ? 0 : 1, releases: [isSpared] });
      if (isSpared) expect(ending(reply).result).toEqual({ outcome: "cancelled", message: "The caller went away", stopProven: false });
    }
  });

  it("comes too late for a run that has ended", () => {
    const scene = createRunScene();
    const { reply, handle } = scene.open();
    const { run, slot } = scene.grant();
    run.answer.end({ kind: "finished", result: ok, reusable: true });
    handle.cancel("requested");
    handle.resume();
    expect(ending(reply).result).toEqual(ok);
    expect(run.told).toEqual([]);
    expect(slot.releases).toEqual([true]);
  });
});

describe("the request's body", () => {
  it("waits for an instance and reaches it in order", () => {
    const scene = createRunScene();
    const { reply, handle } = scene.open({ more: true, bodyBytes: 6 });
    handle.data(bytes(1));
    handle.data(bytes(2));
    expect(reply.consumedBytes).toBe(0);
    const { run } = scene.grant();
    expect(run.call).toMatchObject({ more: true, bodyBytes: 6 });
    handle.data(bytes(3));
    handle.endRequest();
    expect(run.told).toEqual(["write 1", "write 2", "write 3", "end"]);
    expect(reply.consumedBytes).toBe(6);
  });

  it("that is whole before there is an instance is ended behind its last part", () => {
    const scene = createRunScene();
    const { handle } = scene.open({ more: true });
    handle.data(bytes(1));
    handle.endRequest();
    expect(scene.grant().run.told).toEqual(["write 1", "end"]);
  });

  it("is reported as consumed only when the instance has taken it, each byte once", () => {
    const scene = createRunScene();
    const { reply, handle } = scene.open({ more: true });
    const { run } = scene.grant();
    run.takes = false;
    handle.data(bytes(10));
    run.takes = true;
    handle.data(bytes(20)); // Behind what was not taken yet.
    expect(reply.consumedBytes).toBe(0);
    run.answer.requestDrained();
    run.answer.requestDrained();
    expect(reply.consumedBytes).toBe(30);
    run.takes = false;
    handle.data(bytes(40));
    run.answer.head({ status: 200, headers: [] }, 0);
    run.answer.end({ kind: "finished", result: ok, reusable: false });
    run.answer.requestDrained();
    handle.data(bytes(5));
    expect(reply.consumedBytes).toBe(75);
  });

  it("that nobody will take is let go of when the run gives up waiting", () => {
    const scene = createRunScene();
    const { reply, handle } = scene.open({ more: true, remainingMs: 10 });
    handle.data(bytes(10));
    scene.clock.advance(10);
    handle.data(bytes(10));
    handle.endRequest();
    expect(reply.consumedBytes).toBe(20);
  });
});

it("tells the image its invocation, its deadline and its trace", () => {
  const scene = createRunScene();
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  scene.open({ remainingMs: 1_500, request: { method: "GET", target: "/a?b", headers: [["TraceParent", traceparent]] } });
  const { call } = scene.grant().run;
  expect(call).toMatchObject({ traceparent, deadlineAtMs: scene.clock.wallMs() + 1_500, request: { target: "/a?b" } });
  expect(call.addedHeaders).toEqual([
    ["longshore-invocation-id", call.invocationId],
    ["longshore-deadline", "2026-11-25T00:00:01.500Z"],
  ]);
});

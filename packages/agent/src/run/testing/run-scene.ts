import type { LongshoreError} from "@longshore/protocol";
import { type AnswerEnd, type AnswerHead, createInvocationId, type InstanceId, type Revision, type RunOrder, type StartKind } from "@longshore/protocol";
import { pino } from "pino";
import type { AnswerSink, Contract, ContractCall, ContractRun, InvocationStreams } from "../../contracts/contract.ts";
import type { ContainerId, ContainerState } from "../../engine/engine.ts";
import type { Lease, SlotWaiter } from "../../instances/lease.ts";
import type { ContainerEvidence, PreparedInstance } from "../../instances/prepared.ts";
import type { Journal } from "../../journal/journal.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { testRevision } from "../../testing/revision.ts";
import { KnownRevisions } from "../revisions.ts";
import { createRunner } from "../run.ts";
import type { RunReply } from "../sink.ts";
import { RecordedSuspension } from "../../testing/recorded-suspension.ts";

/** The contract's end of one invocation, and what it was told. */
export class FakeContractRun implements ContractRun {
  readonly call: ContractCall;
  readonly answer: AnswerSink;
  readonly told: string[] = [];
  /** What `write` says: false as long as the instance does not take it. */
  takes = true;

  constructor(call: ContractCall, answer: AnswerSink) {
    this.call = call;
    this.answer = answer;
  }

  write(bytes: Uint8Array): boolean {
    this.told.push(`write ${bytes.length}`);
    return this.takes;
  }

  endRequest(): void {
    this.told.push("end");
  }

  abort(): void {
    this.told.push("abort");
  }

  pause(): void {
    this.told.push("pause");
  }

  resume(): void {
    this.told.push("resume");
  }
}

/** An instance that a waiter was given, and what became of its slot. */
export interface FakeSlot {
  readonly instanceId: string;
  readonly releases: boolean[];
  stops: number;
  isAlone: boolean;
  isBeingEnded: boolean;
  stderrTail: string | undefined;
  evidence: ContainerEvidence;
  /** How the slot's container ended is known from now on. */
  exits(exit: Partial<ContainerState>, sawOutOfMemory?: boolean): void;
  /** What `stop` was asked for is done. */
  gone(): void;
  readonly logged: string[];
}

/** What the run answered, in order. */
export interface FakeReply extends RunReply {
  readonly answers: ({ complete: AnswerHead; body: string } | { head: AnswerHead } | { data: string } | { end: Omit<AnswerEnd, "sequenceCount"> } | { refuse: LongshoreError })[];
  consumedBytes: number;
  hasRoom: boolean;
}

const running: ContainerState = { running: true, exitCode: undefined, oomKilled: false, error: undefined, ip: undefined };

/** One run whose pool, contract, journal and time are the test's. */
export function createRunScene({ revision = testRevision(), knows = true }: { revision?: Revision; knows?: boolean } = {}) {
  const clock = new ManualClock();
  const waiters: SlotWaiter[] = [];
  const slots: FakeSlot[] = [];
  const runs: FakeContractRun[] = [];
  const journal: string[] = [];
  const revisions = new KnownRevisions();
  if (knows) revisions.remember(revision, undefined);
  const scene = {
    clock,
    revision,
    waiters,
    slots,
    runs,
    journal,
    /** How the pool answers at once; default: it lets the run wait. */
    onAcquire: (_waiter: SlotWaiter): void => undefined,
    /** Stands in for what the contract does at once. */
    onInvoke: (_run: FakeContractRun): void => undefined,
    onJournal: (): void => undefined,
    start: createRunner({
      pool: {
        acquire: (_revision, waiter) => {
          waiters.push(waiter);
          scene.onAcquire(waiter);
          return () => void waiters.splice(waiters.indexOf(waiter), 1);
        },
      },
      revisions,
      contractOf: () =>
        ({
          invoke: (_instance, call, answer) => {
            journal.push("invoke");
            const run = new FakeContractRun(call, answer);
            runs.push(run);
            scene.onInvoke(run);
            return run;
          },
        }) as Partial<Contract> as Contract,
      journal: {
        started: ({ attempt, instanceId }) => {
          scene.onJournal();
          journal.push(`start ${attempt} ${instanceId}`);
        },
        ended: ({ attempt, outcome }) => void journal.push(`end ${attempt} ${outcome}`),
      } as Partial<Journal> as Journal,
      clock,
      log: pino({ level: "silent" }),
    }),
    /** Begins an invocation. */
    open(order: Partial<RunOrder> = {}, body = "", willBegin?: () => Promise<void>) {
      const reply = createReply();
      const handle = scene.start({ order: { ...defaultOrder(revision), ...order }, body: Buffer.from(body), willBegin }, reply);
      return { handle, reply };
    },
    /** Gives the longest waiting one an instance. */
    grant(start: StartKind = "warm"): { slot: FakeSlot; run: FakeContractRun } {
      const waiter = waiters.shift();
      if (waiter === undefined) throw new Error("Nobody waits");
      const slot = createSlot(revision, start, slots.length + 1, waiter);
      slots.push(slot);
      slot.give();
      return { slot, run: runs.at(-1) as FakeContractRun };
    },
  };
  return scene;
}

function defaultOrder(revision: Revision): RunOrder {
  return { invocationId: createInvocationId(), attempt: 1, revisionDigest: revision.digest, remainingMs: 30_000, request: { method: "POST", target: "/", headers: [] }, more: false };
}

function createReply(): FakeReply {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
  const reply: FakeReply = {
    answers: [],
    consumedBytes: 0,
    hasRoom: true,
    complete: (head, body) => void reply.answers.push({ complete: head, body: text(body) }),
    head: (head) => void reply.answers.push({ head }),
    data: (bytes) => (reply.answers.push({ data: text(bytes) }), reply.hasRoom),
    end: (end) => void reply.answers.push({ end }),
    refuse: (error) => void reply.answers.push({ refuse: error }),
    requestConsumed: (byteLength) => void (reply.consumedBytes += byteLength),
  };
  return reply;
}

function createSlot(revision: Revision, start: StartKind, number: number, waiter: SlotWaiter): FakeSlot & { give(): void } {
  const gone = Promise.withResolvers<void>();
  const exited = Promise.withResolvers<void>();
  const instanceId = `i-${number}` as InstanceId;
  const slot: FakeSlot & { give(): void } = {
    instanceId,
    releases: [],
    stops: 0,
    isAlone: true,
    isBeingEnded: false,
    stderrTail: undefined,
    evidence: { exit: undefined, sawOutOfMemory: false },
    logged: [],
    exits(exit, sawOutOfMemory = exit.oomKilled ?? false) {
      slot.evidence = { exit: { ...running, running: false, ...exit }, sawOutOfMemory };
      exited.resolve();
    },
    gone: () => gone.resolve(),
    give: () => waiter.granted(lease),
  };
  const prepared: PreparedInstance = {
    containerId: "c" as ContainerId,
    isHeld: true,
    hasRunOutOfMemory: false,
    exited: new Promise(() => undefined),
    log: { write: (stream, bytes) => slot.logged.push(`${stream} ${Buffer.from(bytes).toString()}`), system: () => undefined, belongsTo: (id) => slot.logged.push(`of ${id.length}`), flush: () => undefined, end: () => undefined },
    begin: () => Promise.reject(new Error("It has begun")),
    evidence: async (waitMs = 0) => {
      if (waitMs > 0 && slot.evidence.exit === undefined) await exited.promise;
      return slot.evidence;
    },
    stderrTail: () => slot.stderrTail,
    keepStderr: (bytes) => void (slot.stderrTail = (slot.stderrTail ?? "") + Buffer.from(bytes).toString()),
    stop: () => ((slot.stops += 1), gone.promise),
    discard: () => gone.promise,
  };
  const isStdio = revision.spec.contract === "stdio";
  const lease: Lease = {
    instanceId,
    start,
    running: { instanceId, revision, address: { ip: "192.0.2.2", gateway: "192.0.2.1", pid: 0 }, plan: { mode: isStdio ? "run" : "become", env: [], port: undefined }, streams: isStdio ? ({} as InvocationStreams) : undefined, exited: prepared.exited, suspension: new RecordedSuspension() },
    prepared,
    isAlone: () => slot.isAlone,
    isBeingEnded: () => slot.isBeingEnded,
    release: (isReusable) => void slot.releases.push(isReusable),
  };
  return slot;
}

/** The next turns of the event loop, in which what was to go out soon goes out. */
export async function soon(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

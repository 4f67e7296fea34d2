import { type AgentAddress, type Ask, chunkBytes, createInvocationId, errorShape, type Frame, type FunctionDocument, type Heartbeat, type ImageFacts, type Introduction, protocolVersion, type Revision, type RunOrder } from "@longshore/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Bus, Exchange, FleetHandlers } from "../../packages/broker/src/bus/bus.ts";
import { systemClock } from "../../packages/broker/src/clock.ts";
import { testRevision } from "../../packages/broker/src/registry/testing/revision.ts";
import { createAsker } from "../../packages/broker/src/roster/ask-agent.ts";
import { ask } from "./exchange-ends.ts";

/** An agent that is to keep the contract, and the broker's end of the bus that it is seen from. */
export interface AgentUnderContract {
  readonly agent: AgentAddress;
  readonly bus: Bus;
  /** A web server: `/echo` answers with what it is sent, `/slow?ms=N` after that time. */
  readonly document: FunctionDocument;
  close(): Promise<void>;
}

/** What every agent must do, as a broker sees it from its side of the bus. `start` gets who hears what the agent says, from its first word on. */
export function agentContract(name: string, start: (heard: FleetHandlers) => Promise<AgentUnderContract>): void {
  describe(`${name} keeps the agent's contract`, () => {
    const said = new Said();
    let under: AgentUnderContract;
    let revision: Revision;

    beforeAll(async () => {
      under = await start(said);
      await said.nextHeartbeat(({ state }) => state === "ready");
    });
    afterAll(() => under.close());

    const asked = (question: Ask, onLine?: (line: unknown) => void) => createAsker(under.bus, systemClock).ask(under.agent, question, { silenceMs: 30_000, onLine });
    const orderOf = (differences: Partial<RunOrder> = {}): RunOrder => ({ invocationId: createInvocationId(), attempt: 1, revisionDigest: revision.digest, remainingMs: 50_000, request: { method: "POST", target: "/echo", headers: [] }, more: false, ...differences });
    const run = (differences?: Partial<RunOrder>, body = "", opened?: (exchange: Exchange) => void) => ask(under.bus, under.agent, orderOf(differences), Buffer.from(body), opened);
    const shareOf = ({ revisions }: Heartbeat) => revisions.find(({ revisionDigest }) => revisionDigest === revision.digest);

    it("introduces itself by the name it joined with before its first heartbeat, and again when asked, as the same process", async () => {
      const [first] = said.introductions;
      expect(first).toMatchObject({ ...under.agent, protocolVersion, incarnation: expect.stringMatching(/.{8,}/) });
      expect(said.order[0]).toBe("introduction");
      const again = said.nextIntroduction();
      expect(await asked({ ask: "introduce" })).toEqual({});
      expect((await again).incarnation).toBe(first?.incarnation);
    });

    it("beats as that process, in rising numbers, with room within its bounds", async () => {
      const next = await said.nextHeartbeat();
      expect(next).toMatchObject({ ...under.agent, incarnation: said.introductions[0]?.incarnation, state: "ready" });
      expect(next.instancesFree).toBeLessThanOrEqual(next.instancesMax);
      expect(next.memoryFreeBytes).toBeLessThanOrEqual(next.memoryBytes);
      expect(said.heartbeats.map((each) => each.sequence)).toEqual(said.heartbeats.map((each) => each.sequence).toSorted((a, b) => a - b));
    });

    it("says what an image is", async () => {
      const lines: unknown[] = [];
      await asked({ ask: "inspect_image", reference: under.document.image, pull: false }, (line) => lines.push(line));
      const { image } = lines.at(-1) as { image: ImageFacts };
      const { imageId: digest, architecture, entrypoint, command, exposedPorts } = image;
      expect(exposedPorts).toEqual([8080]);
      revision = testRevision({ document: under.document, image: { reference: under.document.image, local: true, digest, architecture, entrypoint, command, exposedPorts } });
    });

    it("refuses a revision that it does not know, before anything of it ran", async () => {
      expect(errorOf(await run())).toMatchObject({ reason: "revision_unknown", phase: "admission" });
    });

    it("prepares a revision: from then on its heartbeats show the image, and one instance held", async () => {
      const held = said.nextHeartbeat((heartbeat) => shareOf(heartbeat)?.held === 1);
      expect(await asked({ ask: "prepare", revision, held: 1, minimum: 0 })).toEqual({});
      expect(shareOf(await held)).toMatchObject({ imagePresent: true, held: 1, running: 0, freeSlots: 0 });
    });

    it("runs what it is sent, from held and then warm, and shows the slots of what runs", async () => {
      const begun = said.nextHeartbeat((heartbeat) => (shareOf(heartbeat)?.freeSlots ?? 0) > 0);
      expect(answerOf(await run({}, "hello"))).toMatchObject({ head: { complete: true, status: 200, start: "held", result: { outcome: "succeeded" } }, body: "hello" });
      expect(answerOf(await run({}, "again"))).toMatchObject({ head: { start: "warm" }, body: "again" });
      await begun;
    });

    it("takes a body and gives an answer in parts, each under credit", async () => {
      const part = new Uint8Array(chunkBytes).fill(7);
      const sent = 12;
      const parts = await streamed(under, orderOf({ more: true }), Array.from({ length: sent }, () => part));
      expect(parts.end).toMatchObject({ result: { outcome: "succeeded" } });
      expect(parts.bytes).toBe(sent * chunkBytes);
      expect(parts.credit).toBeGreaterThan(0);
    });

    it("tells in its heartbeat what it runs, and ends a run that is cancelled as cancelled", async () => {
      const running = said.nextHeartbeat((heartbeat) => shareOf(heartbeat)?.running === 1);
      const { promise: opened, resolve } = Promise.withResolvers<Exchange>();
      const answered = run({ request: { method: "POST", target: "/slow?ms=20000", headers: [] } }, "", resolve);
      await running;
      const idle = said.nextHeartbeat(({ running: count }) => count === 0);
      (await opened).send({ kind: "cancel", head: { reason: "requested" } });
      expect((await answered).frames.at(-1)).toMatchObject({ head: { result: { outcome: "cancelled" } } });
      await idle;
    });

    it("closes an exchange with one last frame, and leaves alone what comes after it", async () => {
      const frames: Frame[] = [];
      const exchange = under.bus.open(under.agent, "run", orderOf(), Buffer.from("once"), { frame: (frame) => void frames.push(frame), failed: (why) => expect.unreachable(why) });
      await expect.poll(() => frames.length, { timeout: 20_000 }).toBe(1);
      for (const frame of [{ kind: "credit", bytes: 1 }, { kind: "cancel", head: { reason: "requested" } }, { kind: "data", sequence: 1, body: new Uint8Array(1) }] as const) exchange.send(frame);
      expect(answerOf(await run({}, "later")).body).toBe("later"); // Whatever those led to has come by now.
      exchange.close();
      expect(frames).toHaveLength(1);
    });

    it("lets go of a revision that is retired", async () => {
      const gone = said.nextHeartbeat((heartbeat) => (shareOf(heartbeat)?.instances ?? 0) === 0);
      expect(await asked({ ask: "retire", revisionDigest: revision.digest })).toEqual({});
      await gone;
    });

    it("drains: takes nothing new, says so, and works again when it is told to", async () => {
      const draining = said.nextHeartbeat(({ state }) => state === "draining");
      expect(await asked({ ask: "drain", deadlineMs: 5_000 })).toEqual({});
      await draining;
      expect(errorOf(await run({ revision }))).toMatchObject({ reason: "agent_draining", phase: "admission" });
      const ready = said.nextHeartbeat(({ state }) => state === "ready");
      await asked({ ask: "resume" });
      await ready;
      expect(answerOf(await run({ revision }, "back")).body).toBe("back");
    });

    it("says nothing that a broker could not read", () => {
      expect(under.bus.counters.get("malformed_messages")).toBe(0);
    });
  });
}

/** All that an agent says unasked. */
class Said implements FleetHandlers {
  readonly introductions: Introduction[] = [];
  readonly heartbeats: Heartbeat[] = [];
  readonly order: ("introduction" | "heartbeat")[] = [];
  readonly #waiting = new Set<() => void>();

  introduction(_from: AgentAddress, introduction: Introduction): void {
    this.introductions.push(introduction);
    this.#tell("introduction");
  }

  heartbeat(_from: AgentAddress, heartbeat: Heartbeat): void {
    this.heartbeats.push(heartbeat);
    this.#tell("heartbeat");
  }

  nextIntroduction(): Promise<Introduction> {
    return this.#next(this.introductions, () => true);
  }

  /** The next heartbeat of which that is true. */
  nextHeartbeat(isWanted: (heartbeat: Heartbeat) => boolean = () => true): Promise<Heartbeat> {
    return this.#next(this.heartbeats, isWanted);
  }

  orphan(): void {}

  outcome(): void {}

  /** The next of a list that fits, from now on. */
  #next<T>(list: readonly T[], fits: (each: T) => boolean): Promise<T> {
    const from = list.length;
    return new Promise((resolve) => {
      const look = () => {
        const found = list.slice(from).find(fits);
        if (found === undefined) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
    });
  }

  #tell(what: "introduction" | "heartbeat"): void {
    this.order.push(what);
    for (const look of this.#waiting) look();
  }
}

type Answered = Awaited<ReturnType<typeof ask>>;

function errorOf({ frames }: Answered) {
  const [frame] = frames;
  if (frame?.kind !== "error") throw new Error(`Expected a refusal, got ${JSON.stringify(frame)}`);
  return errorShape.parse(frame.head);
}

function answerOf({ frames, failed }: Answered) {
  const [frame] = frames;
  if (frame?.kind !== "answer") throw new Error(`Expected an answer, got ${JSON.stringify(frame)} ${failed ?? ""}`);
  return { head: frame.head, body: Buffer.from(frame.body).toString() };
}

/** Sends a body in parts as credit allows, takes the answer's parts, and grants credit for each. */
function streamed({ bus, agent }: AgentUnderContract, order: RunOrder, parts: readonly Uint8Array[]) {
  const { promise, resolve, reject } = Promise.withResolvers<{ end: unknown; bytes: number; credit: number }>();
  const window = 512 * 1024;
  let [granted, credit, sent, bytes] = [window, 0, 0, 0];
  const exchange = bus.open(agent, "run", order, new Uint8Array(0), {
    frame(frame) {
      if (frame.kind === "credit") grant(frame.bytes);
      else if (frame.kind === "data") take(frame.body.length);
      else if (frame.kind === "end") finish(frame.head);
      else if (frame.kind === "error") reject(new Error(JSON.stringify(frame.head)));
    },
    failed: (why) => reject(new Error(why)),
  });
  const grant = (more: number) => {
    credit += more;
    granted += more;
    send();
  };
  const take = (length: number) => {
    bytes += length;
    exchange.send({ kind: "credit", bytes: length });
  };
  const finish = (end: unknown) => {
    exchange.close();
    resolve({ end, bytes, credit });
  };
  const send = () => {
    for (let part = parts[sent]; part !== undefined && granted >= part.length; part = parts[sent]) {
      sent += 1;
      granted -= part.length;
      exchange.send({ kind: "data", sequence: sent, body: part });
      if (sent === parts.length) exchange.send({ kind: "end", head: { sequenceCount: sent } });
    }
  };
  send();
  return promise;
}

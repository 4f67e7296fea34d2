import { LongshoreError } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import type { ContractEnding } from "../contracts/contract.ts";
import { seededRandom } from "../testing/random.ts";
import { createRunScene, soon } from "./testing/run-scene.ts";

const first = Number(process.env["LONGSHORE_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const seeds = Array.from({ length: Number(process.env["LONGSHORE_WALKS"] ?? 60) }, (_, index) => first + index);

const endings: readonly ContractEnding[] = [
  { kind: "finished", result: { outcome: "succeeded", status: 200 }, reusable: true },
  { kind: "finished", result: { outcome: "failed", status: 500 }, reusable: true },
  { kind: "broken", message: "closed", notStarted: false },
  { kind: "broken", message: "not connected", notStarted: true },
  { kind: "refused", error: new LongshoreError("bad_header", "Cannot pass on"), reusable: true },
];

describe("a run to which anything happens", () => {
  it.each(seeds)("gives one answer, frees every slot once and takes every byte once (seed %i)", async (seed) => {
    const random = seededRandom(seed);
    const pick = <T>(choices: readonly T[]) => choices[Math.floor(random() * choices.length)] as T;
    const scene = createRunScene();
    const { handle, reply } = scene.open({ more: true, remainingMs: 1_000 });
    let sentBytes = 0;
    let hasEnded = false;
    const ended = new Set<object>();

    const grant = () => {
      if (scene.waiters.length === 0) return;
      if (random() < 0.1) scene.waiters.shift()?.refused(new LongshoreError("agent_busy", "Cannot run"));
      else scene.grant().slot.isAlone = random() < 0.5;
    };
    const send = () => {
      if (hasEnded) return;
      sentBytes += 10;
      handle.data(Buffer.alloc(10));
    };
    const endRequest = () => {
      hasEnded = true;
      handle.endRequest();
    };
    const answer = () => {
      const run = scene.runs.at(-1);
      if (run === undefined || ended.has(run)) return;
      if (random() < 0.3) run.takes = !run.takes;
      if (run.takes) run.answer.requestDrained();
      if (random() < 0.4) run.answer.head({ status: 200, headers: [] }, pick([undefined, 0, 100_000]));
      if (random() < 0.3) run.answer.data(Buffer.alloc(pick([1, 70_000])));
      if (random() < 0.3) {
        ended.add(run);
        run.answer.end(pick(endings));
      }
    };
    const exits = () => scene.slots.at(-1)?.exits({ exitCode: 1 }, random() < 0.3);
    const steps = [grant, grant, send, send, endRequest, answer, answer, answer, exits, () => scene.clock.advance(100), () => handle.resume(), () => (random() < 0.2 ? handle.cancel(pick(["abandoned", "requested"])) : undefined)];
    for (let step = 0; step < 60; step += 1) {
      pick(steps)();
      if (random() < 0.5) await soon();
    }

    scene.clock.advance(10_000);
    for (const slot of scene.slots) {
      slot.exits({ exitCode: 1 });
      slot.gone();
    }
    await soon();
    expect(reply.answers.filter((each) => !("head" in each || "data" in each))).toHaveLength(1);
    expect(scene.slots.map(({ releases }) => releases.length)).toEqual(scene.slots.map(() => 1));
    expect(reply.consumedBytes).toBe(sentBytes);
    expect(scene.journal.filter((line) => line.startsWith("start"))).toHaveLength(scene.slots.length);
    expect(scene.journal.filter((line) => line.startsWith("end"))).toHaveLength(scene.slots.length);
    expect(scene.clock.pending).toBe(0);
  });
});

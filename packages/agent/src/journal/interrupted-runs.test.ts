import { expect, it } from "vitest";
import { InterruptedRuns } from "./interrupted-runs.ts";

const run = (invocationId: string, instanceId: string) => ({ invocationId, attempt: 1, instanceId });

it("a run is over once its container is gone, and is then forgotten on disk", () => {
  const ended: string[] = [];
  const runs = new InterruptedRuns({ interrupted: [run("i1", "n1"), run("i2", "n2"), run("i3", "n2")], ended: ({ invocationId, outcome }) => void ended.push(`${invocationId} ${outcome}`) });
  const over = () => ["i1", "i2", "i3", "another"].filter((invocationId) => runs.isOver({ invocationId, attempt: 1 }));
  expect([over(), [...runs.instanceIds]]).toEqual([["another"], ["n1", "n2"]]);
  runs.swept(new Set(["n2", "n9", undefined]));
  expect([over(), [...runs.instanceIds], ended]).toEqual([["i1", "another"], ["n2"], ["i1 lost"]]);
  runs.swept(new Set());
  expect([over(), [...runs.instanceIds], ended]).toEqual([["i1", "i2", "i3", "another"], [], ["i1 lost", "i2 lost", "i3 lost"]]);
});

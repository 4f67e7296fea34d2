import { describe, expect, it } from "vitest";
import { type ContainerState, EngineError } from "./engine.ts";
import { waitExit } from "./exit.ts";

const exited: ContainerState = { running: false, exitCode: 3, oomKilled: true, error: undefined, ip: undefined };
const away = new EngineError("unreachable", 0, "away");
const absent = new EngineError("not_found", 404, "absent");
/** Answers in turn; an error is thrown. */
const inTurn = <Answer>(...answers: (Answer | Error)[]) => async (): Promise<Answer> => {
  const answer = answers.shift();
  if (answer === undefined) throw new Error("asked too often");
  if (answer instanceof Error) throw answer;
  return answer;
};

describe("waitExit()", () => {
  it("reads the state after the exit, since only that tells of memory", async () => {
    expect(await waitExit({ wait: inTurn(3), inspect: inTurn<ContainerState>(exited) })).toEqual(exited);
  });

  it("rides out an engine that is away, in either step", async () => {
    expect(await waitExit({ wait: inTurn<number>(away, away, 3), inspect: inTurn<ContainerState>(away, exited) }, 1)).toEqual(exited);
  });

  it("keeps the exit code of a container that was removed right after", async () => {
    expect(await waitExit({ wait: inTurn(137), inspect: async () => undefined })).toMatchObject({ running: false, exitCode: 137 });
  });

  it("has no exit code for a container that is not there", async () => {
    expect(await waitExit({ wait: inTurn<number>(absent), inspect: async () => undefined })).toMatchObject({ running: false, exitCode: undefined });
  });

  it("passes on what is neither", async () => {
    const broken = new EngineError("internal", 500, "broken");
    await expect(waitExit({ wait: inTurn<number>(broken), inspect: async () => undefined })).rejects.toBe(broken);
  });
});

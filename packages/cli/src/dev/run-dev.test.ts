import type { DeployAnswer, FleetEvent, LogLine } from "@longshore/protocol";
import { describe, expect, it, vi } from "vitest";
import { UsageError } from "../command-line/usage-error.ts";
import { functionView } from "../testing/fake-fleet.ts";
import { invocationRecord } from "../testing/fake-record.ts";
import { createFakeTerminal } from "../testing/fake-terminal.ts";
import { createDevLog } from "./dev-log.ts";
import { runDev } from "./run-dev.ts";

const line: LogLine = { at: "2026-11-25T12:00:01.250Z", siteId: "plant", agentId: "plant-1", instanceId: "i-00abc123", functionName: "resize", revisionId: "resize-r1", stream: "stderr", line: "hi \u001b[2J" };
const answer = (revision: number): DeployAnswer => ({ function: functionView({ name: "resize", revisionId: `resize-r${revision}` }), created: revision === 1, changed: true, contractBecause: "" });

/** A session whose folder, builds and fleet the test plays. */
function session({ ignore = "", watchFails = false } = {}) {
  const fake = createFakeTerminal();
  const ending = new AbortController();
  const builds: { settle: (revision: number | Error) => void; signal: AbortSignal }[] = [];
  let [save, closed] = [(_path: string): void => undefined, 0];
  const watch = async function* (): AsyncGenerator<FleetEvent> {
    yield { event: "caught_up" };
    yield { event: "invocation", record: invocationRecord(1, { functionName: "other" }) };
    yield { event: "invocation", record: invocationRecord(2) };
    await new Promise((resolve) => ending.signal.addEventListener("abort", resolve));
  };
  const logs = async function* () {
    await Promise.resolve();
    yield line;
  };
  const running = runDev({
    folder: "/f", functionName: "resize", fleet: { watch, logs, records: { page: async () => ({ records: [] }) } }, log: createDevLog({ terminal: fake.terminal, json: false }), signal: ending.signal, fromAt: "2026-11-25T12:00:00.000Z",
    readIgnoreFile: () => ignore,
    watchFolder: (_folder, { onChange, onError }) => {
      save = onChange;
      if (watchFails) queueMicrotask(() => onError(new UsageError("Cannot watch /f: too many folders")));
      return { close: () => (closed += 1) };
    },
    deploy: (onOutput, signal) => new Promise((resolve, reject) => {
      onOutput("Step 1/1 : \u001b[31mRUN\n");
      builds.push({ signal, settle: (outcome) => (typeof outcome === "number" ? resolve(answer(outcome)) : reject(outcome)) });
    }),
  });
  return { running, ending, builds, shown: fake.stdout, save: (path: string) => save(path), closed: () => closed };
}

describe("longshore dev", () => {
  it("builds at once and at each save, one at a time; a failed build shows what it said and leaves the last revision", async () => {
    const test = session({ ignore: "*.log" });
    await vi.waitFor(() => expect(test.builds).toHaveLength(1));
    test.save("main.py");
    test.save("main.py~");
    test.builds[0]?.settle(1);
    await vi.waitFor(() => expect(test.builds).toHaveLength(2));
    test.save("a.log");
    test.builds[1]?.settle(new UsageError("Cannot build /f: docker build ended with exit code 1"));
    await vi.waitFor(() => expect(test.shown()).toContain("resize-r1 serves on"));
    test.ending.abort("SIGINT");
    await test.running;
    const shown = test.shown().split("\n");
    expect(test.builds).toHaveLength(2);
    expect(shown).toEqual(expect.arrayContaining([
      "● building", expect.stringMatching(/^● resize-r1 is live, \d+ms after the save$/), "  | Step 1/1 : \\x1b[31mRUN", "● Cannot build /f: docker build ended with exit code 1",
      "12:00:01.250 plant/plant-1 abc123 err hi \\x1b[2J", expect.stringMatching(/^12:00:02.000 succeeded {2}resize /),
    ]));
    expect(test.shown()).not.toContain("other");
    expect(test.closed()).toBe(1);
  });

  it("ends a build that is under way, and waits for it", async () => {
    const test = session();
    await vi.waitFor(() => expect(test.builds).toHaveLength(1));
    const [build] = test.builds;
    build?.signal.addEventListener("abort", () => build.settle(new Error("killed")));
    test.ending.abort("SIGTERM");
    await test.running;
    expect(test.shown()).not.toContain("killed");
  });

  it("fails where the folder cannot be watched", async () => {
    const test = session({ watchFails: true });
    void vi.waitFor(() => expect(test.builds).toHaveLength(1)).catch(() => undefined);
    await expect(test.running).rejects.toThrow("too many folders");
    test.ending.abort("SIGINT");
    expect(test.closed()).toBe(1);
  });
});

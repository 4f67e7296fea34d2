import { LongshoreError } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { commands } from "../commands.ts";
import { runLine } from "../testing/run-line.ts";

const failing = (error: Error) => ({ fleet: { list: () => Promise.reject(error) } });

describe("a command line", () => {
  it("shows every command when nothing is asked", async () => {
    const { exitCode, stdout, stderr } = await runLine([]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    for (const command of commands) expect(stdout).toContain(command.summary.split(" ")[0]);
  });

  it.each(commands.map((command) => [command.path.join(" "), command] as const))("%s explains itself, with an example, in 80 columns", async (name, command) => {
    const { exitCode, stdout } = await runLine([...name.split(" "), "--help"]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`Usage: longshore ${name}`);
    expect(command.examples.length).toBeGreaterThan(0);
    const lines = stdout.split("\n").filter((line) => !/^  (sudo )?longshore/.test(line) && !line.startsWith("Usage:") && !line.includes("| longshore"));
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  it("refuses an unknown command with the nearest one, on stderr alone", async () => {
    expect(await runLine(["deplyo"])).toMatchObject({
      exitCode: 2, stdout: "", stderr: "longshore: Cannot run \"deplyo\": longshore has no such command; did you mean deploy?\n  longshore --help lists them\n",
    });
  });

  it("tells of our own errors in one line with a hint, and never a stack", async () => {
    const outcome = await runLine(["ls"], failing(new LongshoreError("key_missing", "Cannot list functions: a key is needed")));
    expect(outcome).toMatchObject({ exitCode: 3, stdout: "", stderr: "longshore: Cannot list functions: a key is needed\n  give --key or set LONGSHORE_KEY\n", isFleetClosed: true });
  });

  it("tells of the unexpected likewise; LONGSHORE_DEBUG shows where", async () => {
    const plain = await runLine(["ls"], failing(new TypeError("boom")));
    expect(plain.stderr).toBe("longshore: Cannot run ls: boom\n  LONGSHORE_DEBUG=1 shows where it happened\n");
    const debug = await runLine(["ls"], { ...failing(new TypeError("boom")), environment: { LONGSHORE_DEBUG: "1" } });
    expect(debug.stderr).toContain("run.test.ts");
  });

  it("keeps what comes from elsewhere inert", async () => {
    const { stderr } = await runLine(["ls"], failing(new LongshoreError("unexpected", "evil \u001b[2J\nlongshore: all is well")));
    expect(stderr.split("\n")[0]).toBe("longshore: evil \\x1b[2J\\x0alongshore: all is well");
  });

  it("gives programs the error as JSON on stdout", async () => {
    const { stdout, exitCode } = await runLine(["ls", "--json"], failing(new LongshoreError("bus_down", "x", { phase: "admission" })));
    expect(JSON.parse(stdout)).toEqual({ error: { code: "unavailable", reason: "bus_down", phase: "admission", message: "x" } });
    expect(exitCode).toBe(3);
    expect(JSON.parse((await runLine(["deplyo", "--json"])).stdout)).toMatchObject({ error: { reason: "usage" } });
  });

  it("finds the broker by flag, then environment, then the usual place", async () => {
    const fleet = { list: () => Promise.resolve([]) };
    const environment = { LONGSHORE_URL: "https://b:1", LONGSHORE_KEY: "lsk_env" };
    expect((await runLine(["ls"], { fleet })).connection).toEqual({ url: "http://127.0.0.1:4270", key: undefined });
    expect((await runLine(["ls"], { fleet, environment })).connection).toEqual({ url: "https://b:1", key: "lsk_env" });
    expect((await runLine(["ls", "--url", "c:2", "--key", "lsk_flag"], { fleet, environment })).connection).toEqual({ url: "http://c:2", key: "lsk_flag" });
  });
});

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LongshoreError } from "@longshore/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Interruption, Interrupts } from "../command-line/interrupts.ts";
import type { Fleet, TokenRequest } from "../fleet.ts";
import type { AgentRequest, LocalParts, RunningPart } from "../local/parts.ts";
import { functionView } from "../testing/fake-fleet.ts";
import { runLine } from "../testing/run-line.ts";

/** Interrupts by hand. */
function byHand(): Interrupts & { press: () => void } {
  const controller = new AbortController();
  const waiters: ((interruption: Interruption) => void)[] = [];
  return {
    signal: () => controller.signal,
    next: () => new Promise((resolve) => waiters.push(resolve)),
    press: () => {
      controller.abort("SIGINT");
      for (const resolve of waiters.splice(0)) resolve("SIGINT");
    },
  };
}

/** Parts that only note what is asked of them. */
function notedParts(events: string[], overrides: Partial<LocalParts> = {}): { parts: LocalParts; agentRequests: AgentRequest[]; dataFolders: (string | undefined)[] } {
  const agentRequests: AgentRequest[] = [];
  const dataFolders: (string | undefined)[] = [];
  const part = (name: string): RunningPart => ({
    drainMs: 7_000,
    drain: async (deadlineMs) => void events.push(`${name} drains ${deadlineMs}`),
    close: async () => void events.push(`${name} closes`),
  });
  return {
    agentRequests, dataFolders,
    parts: {
      startBroker: async ({ dataFolder }) => (dataFolders.push(dataFolder), { url: "http://127.0.0.1:4270", apiKey: undefined, needsKey: false, caFile: undefined, ...part("broker") }),
      joinedAs: async () => undefined,
      backUp: () => Promise.reject(new Error("not here")),
      restore: () => Promise.reject(new Error("not here")),
      joinHost: async (token) => (events.push(`joins by ${token}`), { agentId: "x", siteId: "y" }),
      startAgent: async (request) => {
        agentRequests.push(request);
        const siteId = request.dataFolder?.split("/").at(-1) ?? "";
        return { agentId: `${siteId}-1`, siteId, ...part(siteId) };
      },
      ...overrides,
    },
  };
}

const fleetOf = (tokens: TokenRequest[] = []): Partial<Fleet> => ({
  tokens: { create: async (request: TokenRequest) => (tokens.push(request), { token: `lsj_${request.site}`, siteId: request.site, expiresAt: "" }) },
  list: async () => [functionView(), functionView({ name: "hello-http", contract: "http" })],
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "longshore-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("longshore up", () => {
  it("joins an agent per site, says three lines to try, and takes all down, agents first", async () => {
    const events: string[] = [];
    const { parts, agentRequests, dataFolders } = notedParts(events);
    const interrupts = byHand();
    const tokens: TokenRequest[] = [];
    const out: string[] = [];
    const ended = runLine(["up"], { localParts: parts, interrupts, fleet: fleetOf(tokens), onPrint: (text) => (out.push(text), text.includes("Ctrl-C takes") && interrupts.press()) });
    expect(await ended).toMatchObject({ exitCode: 0 });
    expect(tokens).toEqual([{ site: "plant", agentId: "plant-1" }, { site: "cloud", agentId: "cloud-1" }]);
    expect(out.join("")).toContain("Longshore is up at http://127.0.0.1:4270, sites plant and cloud.\nSee it in a browser, whose console asks for no key here: http://127.0.0.1:4270/\n");
    expect(out.join("")).toContain(`curl -d '{"name":"you"}' http://127.0.0.1:4270/f/hello-http/\n  printf 'one two three four' | longshore invoke wordcount\n  longshore agent ls\n`);
    expect(events.slice(2)).toEqual(["plant drains 10000", "cloud drains 10000", "plant closes", "cloud closes", "broker drains 10000", "broker closes"]);
    expect(agentRequests.map(({ memoryBytes }) => memoryBytes)[0]).toBe(agentRequests[1]?.memoryBytes);
    expect(dataFolders[0]?.startsWith(join(tmpdir(), "longshore-"))).toBe(true);
    expect(existsSync(join(dataFolders[0] ?? "", ".."))).toBe(false);
  });

  it("keeps a data folder that it was given, and joins only once", async () => {
    const events: string[] = [];
    const { parts } = notedParts(events, { joinedAs: async () => ({ agentId: "berlin-1", siteId: "berlin" }) });
    const interrupts = byHand();
    const { stdout } = await runLine(["up", "--site", "berlin", "--data", folder, "--json"], { localParts: parts, interrupts, fleet: fleetOf(), onPrint: () => interrupts.press() });
    expect(JSON.parse(stdout)).toEqual({ url: "http://127.0.0.1:4270", console: "http://127.0.0.1:4270/", sites: ["berlin"], functions: ["wordcount", "hello-http"] });
    expect(events.filter((event) => event.startsWith("joins"))).toEqual([]);
    expect(existsSync(folder)).toBe(true);
  });

  it("at a second Ctrl-C ends at once what still drains", async () => {
    const events: string[] = [];
    const interrupts = byHand();
    const { parts } = notedParts(events, {
      startAgent: async () => ({
        agentId: "a-1", siteId: "a", drainMs: 0,
        drain: () => new Promise(() => interrupts.press()),
        close: async () => void events.push("a closes"),
      }),
    });
    expect(await runLine(["up", "--site", "a"], { localParts: parts, interrupts, fleet: fleetOf(), onPrint: (text) => text.includes("Ctrl-C takes") && interrupts.press() })).toMatchObject({ exitCode: 0 });
    expect(events).toEqual(["joins by lsj_a", "a closes", "broker closes"]);
  });

  it("takes down what had started when a part fails, and tells why", async () => {
    const events: string[] = [];
    const { parts } = notedParts(events, { startAgent: () => Promise.reject(new LongshoreError("engine_unavailable", "Cannot reach the engine: nothing listens")) });
    const outcome = await runLine(["up", "--site", "a"], { localParts: parts, interrupts: byHand(), fleet: fleetOf() });
    expect(outcome.exitCode).toBe(3);
    expect(outcome.stderr).toContain("longshore: Cannot reach the engine: nothing listens\n");
    expect(events.slice(1)).toEqual(["broker drains 10000", "broker closes"]);
  });

  it("can be interrupted while it starts, and waits for what was starting", async () => {
    const events: string[] = [];
    const interrupts = byHand();
    const { parts } = notedParts(events);
    const slow = { ...parts, startBroker: async (request: Parameters<LocalParts["startBroker"]>[0]) => (interrupts.press(), parts.startBroker(request)) };
    expect(await runLine(["up"], { localParts: slow, interrupts, fleet: fleetOf() })).toMatchObject({ exitCode: 130 });
    expect(events.at(-1)).toBe("broker closes");
  });

  it("shows the key and how to use it when others can reach it", async () => {
    const interrupts = byHand();
    const { parts } = notedParts([]);
    const open = { ...parts, startBroker: async (request: Parameters<LocalParts["startBroker"]>[0]) => ({ ...(await parts.startBroker(request)), url: "https://10.0.0.5:4270", apiKey: "lsk_x", needsKey: true, caFile: "/ca.pem" }) };
    const { stdout } = await runLine(["up", "--listen", "10.0.0.5:4270", "--tls"], { localParts: open, interrupts, fleet: fleetOf(), onPrint: (text) => text.includes("Ctrl-C takes") && interrupts.press() });
    for (const line of ["asks for the key here: https://10.0.0.5:4270/\n", "export LONGSHORE_URL=https://10.0.0.5:4270", "export LONGSHORE_CA=/ca.pem", "export LONGSHORE_KEY=lsk_x", `curl --cacert /ca.pem -H "Authorization: Bearer $LONGSHORE_KEY"`]) expect(stdout).toContain(line);
  });

  it.each([[["up", "--site", "No"], "--site"], [["up", "--site", "a", "--site", "a"], "given twice"], [["up", "--drain", "5"], "--drain"]])("refuses %j before anything starts", async (argv, text) => {
    expect(await runLine(argv)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(text) });
  });
});

describe("longshore join, agent run, broker", () => {
  it("join trades the token, then runs the agent from the same folder", async () => {
    const events: string[] = [];
    const { parts, agentRequests } = notedParts(events);
    const interrupts = byHand();
    const outcome = await runLine(["join", "lsj_abc", "--data", "/d", "--drain", "1m"], { localParts: parts, interrupts, onPrint: (text) => text.includes("takes work") && interrupts.press() });
    expect(outcome).toMatchObject({ exitCode: 0, stdout: "Joined site y as x\nAgent agent-1 of site agent takes work. Ctrl-C drains it, twice ends it at once.\n" });
    expect(events).toEqual(["joins by lsj_abc", "agent drains 60000", "agent closes"]);
    expect(agentRequests[0]?.dataFolder).toBe("/d/agent");
  });

  it("join --join-only ends there", async () => {
    const events: string[] = [];
    const outcome = await runLine(["join", "lsj_abc", "--join-only", "--json"], { localParts: notedParts(events).parts });
    expect(outcome).toMatchObject({ exitCode: 0, stdout: '{"agentId":"x","siteId":"y"}\n' });
    expect(events).toEqual(["joins by lsj_abc"]);
  });

  it("agent run takes its folder from LONGSHORE_DATA, unless its own setting says otherwise", async () => {
    const { parts, agentRequests } = notedParts([]);
    for (const environment of [{ LONGSHORE_DATA: "/d" }, { LONGSHORE_DATA: "/d", LONGSHORE_AGENT_DATA_FOLDER: "/own" }, {}]) {
      const interrupts = byHand();
      await runLine(["agent", "run"], { localParts: parts, interrupts, environment, onPrint: () => interrupts.press() });
    }
    expect(agentRequests.map(({ dataFolder }) => dataFolder)).toEqual(["/d/agent", undefined, undefined]);
  });

  it("broker prints one line of JSON when it takes calls, and drains as its settings say", async () => {
    const interrupts = byHand();
    const events: string[] = [];
    const outcome = await runLine(["broker"], { localParts: notedParts(events).parts, interrupts, onPrint: () => interrupts.press() });
    expect(outcome).toMatchObject({ exitCode: 0, stdout: '{"url":"http://127.0.0.1:4270"}\n' });
    expect(events).toEqual(["broker drains 7000", "broker closes"]);
  });
});

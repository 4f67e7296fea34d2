import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ContainerId, ContainerSpec, ContainerState } from "../../packages/agent/src/engine/engine.ts";
import { findHold } from "../../packages/agent/src/hold/executable.ts";
import { encodeHoldFrame, type HoldStatus, nonceBytes, TrailerScanner } from "../../packages/agent/src/hold/frame.ts";
import { type AgentEngine, createAgentEngine, docker } from "../support/agent-engine.ts";
import { ensureImage } from "../support/images/ensure-image.ts";

const mebibyte = 2 ** 20;
const holdPath = "/.longshore/hold";

describe("hold in a real container", () => {
  let agent: AgentEngine;
  let holdOnHost: string;

  beforeAll(async () => {
    agent = await createAgentEngine();
    holdOnHost = findHold((await agent.engine.describe()).architecture) ?? "";
  });
  afterEach(async () => {
    await Promise.all((await agent.engine.listOwned()).map(({ id }) => agent.engine.removeContainer(id)));
  });
  afterAll(() => agent.close());

  /** Makes and starts a container in which hold waits in front of a program. */
  const held = async (mode: "become" | "run", program: readonly string[], changes: Partial<ContainerSpec> = {}): Promise<HeldContainer> => {
    const mounts = [{ hostPath: holdOnHost, containerPath: holdPath }];
    const id = await agent.engine.createContainer(agent.shell("", { entrypoint: [holdPath, mode, ...program], mounts, stdin: true, ...changes }));
    const container = new HeldContainer(agent, id);
    await container.start();
    return container;
  };
  const heldShell = (mode: "become" | "run", script: string, changes?: Partial<ContainerSpec>) => held(mode, ["/bin/sh", "-c", script], changes);

  it("waits: a program that prints the time prints that of its call", async () => {
    for (const mode of ["become", "run"] as const) {
      const container = await heldShell(mode, "date +%s");
      const heldUntil = Math.floor(Date.now() / 1000) + 1;
      await delay(heldUntil * 1000 + 50 - Date.now()); // The clock itself is what is waited for.
      container.begin();
      await container.ended;
      expect(Number(container.stdout)).toBeGreaterThanOrEqual(heldUntil);
    }
  });

  it("tells how the program ended in-band, behind its output, and the container's exit code is the same", async () => {
    for (const code of [0, 7, 255]) {
      const container = await heldShell("run", `cat; echo out; echo err >&2; exit ${code}`);
      container.begin([], "in\n");
      expect(await container.told).toEqual({ kind: "exited", code, oomKills: 0 });
      expect({ stdout: container.stdout, stderr: container.stderr }).toEqual({ stdout: "in\nout\n", stderr: "err\n" });
      expect(await container.exited()).toMatchObject({ exitCode: code });
    }
  });

  it("says that a program is not there, before any line of the image has run", async () => {
    const container = await held("run", ["no-such-program"]);
    container.begin();
    expect(await container.told).toMatchObject({ kind: "not_started", code: 127 });
    expect(container.stderr).toBe('hold: Cannot start "no-such-program": not found in PATH\n');
  });

  it("becomes the program: the first process, with the frame's environment and nothing to read", async () => {
    const container = await heldShell("become", "echo $$ $WORD; cat; echo end; exit 3");
    container.begin(["WORD=frame"]);
    await container.ended;
    expect(container.stdout).toBe("1 frame\nend\n");
    expect(await container.exited()).toMatchObject({ exitCode: 3 });
  });

  it.each(["become", "run"] as const)("lets the engine's signals reach the program (%s)", async (mode) => {
    const container = await heldShell(mode, "trap 'echo caught; exit 5' TERM; echo ready; while :; do sleep 1000 & wait $!; done");
    container.begin();
    await container.said("ready\n");
    await agent.engine.signal(container.id, "SIGTERM");
    expect(await container.exited()).toMatchObject({ exitCode: 5 });
    await container.ended;
    expect(container.stdout).toBe("ready\ncaught\n");
  });

  it("as parent, lets a signal end a program that does not handle it, as it would anywhere but in the place of the first process", async () => {
    const container = await held("run", ["/bin/sh", "-c", "echo ready; exec sleep 1000"]);
    container.begin();
    await container.said("ready\n");
    await agent.engine.signal(container.id, "SIGTERM");
    expect(await container.told).toMatchObject({ kind: "signalled", signal: "SIGTERM" });
    expect(await container.exited()).toMatchObject({ exitCode: 143 });
  });

  it("tells that the kernel killed for memory: the program itself, or a child of one that exits well", async () => {
    const hungry = "a=x; while :; do a=$a$a; done";
    const alone = await heldShell("run", hungry, { memoryBytes: 16 * mebibyte });
    alone.begin();
    expect(await alone.told).toEqual({ kind: "signalled", signal: "SIGKILL", oomKills: 1 });
    const parent = await heldShell("run", `sh -c '${hungry}'; exit 0`, { memoryBytes: 16 * mebibyte });
    parent.begin();
    expect(await parent.told).toEqual({ kind: "exited", code: 0, oomKills: 1 });
  });

  it("ends by itself, nothing begun, when the agent that holds it is gone", async () => {
    const container = await heldShell("run", "exit 9");
    container.letGo();
    expect(await container.exited()).toMatchObject({ exitCode: 0, oomKilled: false });
  });

  it("ends at once when it is stopped while held", async () => {
    const container = await heldShell("become", "echo begun");
    await agent.engine.signal(container.id, "SIGTERM");
    expect(await container.exited()).toMatchObject({ exitCode: 143 });
    await container.ended;
    expect(container.stdout).toBe("");
  });

  it("works for a user that is nobody, on a read-only root without any capability", async () => {
    const image = await ensureImage("busybox", { config: { user: "65534:65534" } });
    for (const mode of ["become", "run"] as const) {
      const container = await heldShell(mode, "id -u; touch /x 2>/dev/null || echo read-only", { image, profile: "strict" });
      container.begin();
      await container.ended;
      expect(container.stdout).toBe("65534\nread-only\n");
    }
  });

  it("gives the program a secret that the engine never shows", async () => {
    const secret = randomBytes(12).toString("hex");
    const container = await heldShell("run", "echo $SECRET; sleep 1000");
    container.begin([`SECRET=${secret}`]);
    await container.said(`${secret}\n`);
    expect(JSON.stringify(await docker.getContainer(container.id).inspect())).not.toContain(secret);
  });
});

/** A container in which hold waits, and later the program runs. */
class HeldContainer {
  readonly id: ContainerId;
  /** Resolves with the trailer's account, once both streams have one; rejects when they end without. */
  readonly told: Promise<HoldStatus>;
  /** Resolves when the streams end. */
  readonly ended: Promise<void>;
  readonly #agent: AgentEngine;
  readonly #nonce = randomBytes(nonceBytes);
  readonly #scanners = { stdout: new TrailerScanner(this.#nonce), stderr: new TrailerScanner(this.#nonce) };
  readonly #output = { stdout: "", stderr: "" };
  readonly #tell = Promise.withResolvers<HoldStatus>();
  readonly #end = Promise.withResolvers<void>();
  readonly #sayings = new Set<() => void>();
  #attachment: Awaited<ReturnType<AgentEngine["engine"]["attach"]>> | undefined;

  constructor(agent: AgentEngine, id: ContainerId) {
    this.#agent = agent;
    this.id = id;
    this.told = this.#tell.promise;
    this.told.catch(() => undefined); // A test that does not ask need not be told.
    this.ended = this.#end.promise;
  }

  async start(): Promise<void> {
    this.#attachment = await this.#agent.engine.attach(this.id, { stdin: true });
    this.#attachment.listen({
      onStdout: (bytes) => this.#take("stdout", bytes),
      onStderr: (bytes) => this.#take("stderr", bytes),
      onEnd: () => {
        for (const stream of ["stdout", "stderr"] as const) this.#output[stream] += Buffer.from(this.#scanners[stream].end()).toString();
        this.#tell.reject(new Error("The streams ended without a trailer"));
        this.#end.resolve();
      },
    });
    await this.#agent.engine.startContainer(this.id);
  }

  get stdout(): string {
    return this.#output.stdout;
  }

  get stderr(): string {
    return this.#output.stderr;
  }

  begin(env: readonly string[] = [], input = ""): void {
    this.#attachment?.write(encodeHoldFrame({ nonce: this.#nonce, env }));
    if (input !== "") this.#attachment?.write(Buffer.from(input));
    this.#attachment?.endInput();
  }

  /** Drops the connection, as an agent that dies does. */
  letGo(): void {
    this.#attachment?.close();
  }

  /** Resolves once stdout holds the text. */
  said(text: string): Promise<void> {
    const said = Promise.withResolvers<void>();
    const check = () => this.stdout.includes(text) && said.resolve();
    this.#sayings.add(check);
    check();
    void this.ended.then(() => said.reject(new Error(`The streams ended before ${JSON.stringify(text)} was said; stderr: ${this.stderr}`)));
    return said.promise.finally(() => this.#sayings.delete(check));
  }

  exited(): Promise<ContainerState> {
    return this.#agent.engine.waitExit(this.id);
  }

  #take(stream: "stdout" | "stderr", bytes: Uint8Array): void {
    this.#output[stream] += Buffer.from(this.#scanners[stream].push(bytes)).toString();
    for (const check of this.#sayings) check();
    const { stdout, stderr } = this.#scanners;
    if (stdout.status !== undefined && stderr.status !== undefined) this.#tell.resolve(stdout.status);
  }
}

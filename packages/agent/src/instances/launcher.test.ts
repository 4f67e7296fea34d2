import { LongshoreError } from "@longshore/protocol";
import { afterEach, describe, expect, it } from "vitest";
import { EngineError } from "../engine/engine.ts";
import { createFakeEngine, type FakeProcess } from "../engine/testing/fake-engine.ts";
import { testRevision } from "../testing/revision.ts";
import { createLauncherScene, localRevision } from "./testing/launcher-scene.ts";
import { settled } from "./testing/pool-scene.ts";

const server = localRevision();
const program = localRevision({ name: "words", contract: "stdio" });

/** What a held container reads on stdin first: a length and that many bytes. */
async function readFrame({ stdin }: FakeProcess): Promise<string> {
  for await (const bytes of stdin) return Buffer.from(bytes).subarray(20).toString().replaceAll("\0", " ").trim();
  return "";
}

let close = () => undefined as void;
afterEach(() => close());

function scene(options: Parameters<typeof createLauncherScene>[0] = {}) {
  const made = createLauncherScene(options);
  close = () => made.fates.close();
  return made;
}

describe("a held server", () => {
  it("has everything the image and the revision say, but no secret, in its container, and waits", async () => {
    const { prepare, engine } = scene();
    const prepared = await prepare(server);
    const { spec, state, isAttached } = engine.containers[0] ?? {};
    expect(prepared).toMatchObject({ isHeld: true, containerId: engine.containers[0]?.id });
    expect(state?.running).toBe(true);
    expect(isAttached).toBe(true);
    expect(spec).toMatchObject({
      name: "longshore-resize-i-1",
      entrypoint: ["/.longshore/hold", "become", "/app"],
      command: [],
      env: ["MODE=test", "LONGSHORE_SITE=plant"],
      mounts: [{ hostPath: "/opt/hold", containerPath: "/.longshore/hold" }],
      memoryBytes: server.spec.memoryBytes,
      stdin: true,
    });
    expect(JSON.stringify(spec)).not.toContain("hush");
    expect(engine.calls).toEqual(["inspectImage", "createContainer", "attach", "startContainer"]);
  });

  it("begins by one frame with what is known only then, and runs once its contract says so", async () => {
    let frame = "";
    const { prepare, readiness } = scene({ image: { program: async (process) => ((frame = await readFrame(process)), process.ended) } });
    const begun = (await prepare(server)).begin();
    await settled();
    expect(frame).toBe("PORT=8080 PASSWORD=hush");
    readiness[0]?.ready();
    await expect(begun).resolves.toMatchObject({ instanceId: "i-1", address: { ip: "192.0.2.2" }, plan: { port: 8080 }, streams: undefined });
    expect(readiness[0]?.signal.aborted).toBe(true);
  });

  it("that exits at its start is told by how it ended and its last words", async () => {
    const { prepare } = scene({ image: { program: async (process) => (await readFrame(process), await process.stderr("no such module\n"), process.exit(1)) } });
    const begun = Promise.resolve((await prepare(server)).begin());
    await expect(begun).rejects.toMatchObject({
      reason: "instance_start_failed",
      phase: "startup",
      message: 'Cannot start instance of "resize": it exited with code 1 before it took invocations. Its last lines on stderr:\nno such module',
    });
  });

  it("that is killed from outside at its start is no fault of the program: another may serve", async () => {
    const { prepare, engine } = scene();
    const begun = Promise.resolve((await prepare(server)).begin());
    engine.containers[0]?.kill();
    await expect(begun).rejects.toMatchObject({ reason: "agent_busy", phase: "startup" });
  });

  it("has a time limit for its start, and its contract's reason counts", async () => {
    const { prepare, readiness, clock } = scene();
    const late = Promise.resolve((await prepare(server)).begin());
    await settled();
    clock.advance(10_000);
    await expect(late).rejects.toMatchObject({ phase: "startup", message: expect.stringContaining("not ready in time") as unknown });
    expect(readiness[0]?.signal.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it("logs what it writes and keeps the end of its stderr", async () => {
    const { prepare, logLines } = scene({ image: { program: async (process) => (await readFrame(process), await process.stdout("up\n"), await process.stderr("warned\n"), process.ended) } });
    const prepared = await prepare(server);
    void Promise.resolve(prepared.begin()).catch(() => undefined);
    await settled();
    expect(await logLines()).toEqual(["stdout up", "stderr warned"]);
    expect(prepared.stderrTail()).toBe("warned\n");
    await prepared.discard();
  });

  it("that closes its streams lives on: only its container's end is its end", async () => {
    const { prepare, engine, readiness } = scene();
    const prepared = await prepare(server);
    const begun = prepared.begin();
    await settled();
    readiness[0]?.ready();
    await begun;
    engine.containers[0]?.breakStreams();
    await settled();
    expect(engine.containers[0]?.state.running).toBe(true);
    expect((await prepared.evidence()).exit).toBeUndefined();
    await prepared.discard();
  });

  it("is removed at once when it is discarded, without a signal", async () => {
    const { prepare, engine, released } = scene();
    await (await prepare(server)).discard();
    expect(engine.containers).toEqual([]);
    expect(engine.calls).not.toContain("signal");
    expect(released).toEqual([]);
  });
});

describe("stopping", () => {
  async function running(options: Parameters<typeof createLauncherScene>[0] = {}) {
    const made = scene(options);
    const prepared = await made.prepare(server);
    const begun = prepared.begin();
    await settled();
    made.readiness[0]?.ready();
    await begun;
    return { ...made, prepared };
  }

  it("sends the image's stop signal, waits for the exit, and then removes", async () => {
    const signals: string[] = [];
    const { engine, prepared, released, clock } = await running({
      image: { facts: { stopSignal: "SIGQUIT" }, program: (process) => (process.onSignal((signal) => (signals.push(signal), process.exit(0))), process.ended) },
    });
    await Promise.all([prepared.stop(), prepared.stop(), prepared.discard()]);
    expect(signals).toEqual(["SIGQUIT"]);
    expect(engine.containers).toEqual([]);
    expect(released).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it("waits for its grace and no longer", async () => {
    const { engine, prepared, clock } = await running({ image: { program: (process) => (process.onSignal(() => undefined), process.ended) } });
    let isGone = false;
    const stopped = prepared.stop().then(() => (isGone = true));
    await settled();
    clock.advance(4_999);
    await settled();
    expect(isGone).toBe(false);
    clock.advance(1);
    await stopped;
    expect(engine.containers).toEqual([]);
  });

  it("tries again until the container is gone", async () => {
    const { engine, prepared, clock } = await running();
    for (let failures = 0; failures < 3; failures += 1) engine.failNext("removeContainer", new EngineError("internal", 500, "device busy"));
    const stopped = prepared.stop();
    for (let round = 0; round < 5; round += 1) {
      await settled();
      clock.advance(5_000);
    }
    await stopped;
    expect(engine.calls.filter((call) => call === "removeContainer")).toHaveLength(4);
  });

  it("does not wait for a container that was never started", async () => {
    const made = scene({ hold: "" });
    const prepared = await made.prepare(server);
    made.engine.failNext("startContainer", new EngineError("bad_request", 400, "no such executable"));
    await expect(Promise.resolve(prepared.begin())).rejects.toMatchObject({ reason: "instance_start_failed", message: 'Cannot start instance of "resize": no such executable' });
    await prepared.stop();
    expect(made.engine.containers).toEqual([]);
    expect(made.clock.pending).toBe(0);
  });
});

describe("evidence", () => {
  it("tells an exit, whoever caused it, as soon as it is known", async () => {
    const { prepare, engine } = scene();
    const prepared = await prepare(server);
    expect(await prepared.evidence()).toEqual({ exit: undefined, sawOutOfMemory: false });
    const waiting = prepared.evidence(1_000);
    engine.containers[0]?.outOfMemory();
    engine.containers[0]?.kill("SIGKILL");
    expect(await waiting).toEqual({ exit: expect.objectContaining({ exitCode: 137, oomKilled: true }) as unknown, sawOutOfMemory: true });
    expect((await prepared.exited).exitCode).toBe(137);
  });

  it("gives up after its time", async () => {
    const { prepare, clock } = scene();
    const waiting = (await prepare(server)).evidence(1_000);
    await settled();
    clock.advance(1_000);
    expect(await waiting).toEqual({ exit: undefined, sawOutOfMemory: false });
  });

  it("of a container removed from outside says that nothing more is known", async () => {
    const { prepare, engine } = scene();
    const prepared = await prepare(server);
    const [container] = engine.containers;
    if (container !== undefined) engine.removeFromOutside(container.id);
    expect((await prepared.exited).running).toBe(false);
  });
});

describe("a held program", () => {
  it("begins with its invocation, with the invocation's environment, on streams of its own", async () => {
    let frame = "";
    const { prepare, engine } = scene({ image: { program: async (process) => ((frame = await readFrame(process)), process.ended) } });
    const prepared = await prepare(program);
    const running = prepared.begin();
    if (running instanceof Promise || running.streams === undefined) throw new Error("A program's streams are there at once");
    expect(engine.containers[0]?.spec.entrypoint).toEqual(["/.longshore/hold", "run", "/app"]);
    expect(running.streams.begin(["LONGSHORE_INVOCATION_ID=1"])).toEqual({ kind: "trailer", nonce: Uint8Array.of(255, ...new Uint8Array(15).fill(7)) });
    await settled();
    expect(frame).toBe("PORT=8080 PASSWORD=hush LONGSHORE_INVOCATION_ID=1");
    await prepared.discard();
  });
});

describe("without hold", () => {
  it("a server's container is made ahead and started when it is to begin, secrets in its environment", async () => {
    const { prepare, engine, readiness } = scene({ hold: "" });
    const prepared = await prepare(server);
    expect(prepared.isHeld).toBe(false);
    expect(engine.containers[0]).toMatchObject({ state: { running: false }, spec: { entrypoint: ["/app"], env: ["MODE=test", "LONGSHORE_SITE=plant", "PORT=8080", "PASSWORD=hush"], mounts: [], stdin: false } });
    const begun = prepared.begin();
    await settled();
    expect(engine.containers[0]?.state.running).toBe(true);
    readiness[0]?.ready();
    await begun;
    await prepared.discard();
  });

  it("a program's container is made with its invocation, and the engine tells its end", async () => {
    const seen: string[] = [];
    const { prepare, engine } = scene({
      hold: "",
      image: {
        program: async (process) => {
          for await (const bytes of process.stdin) seen.push(Buffer.from(bytes).toString());
          await process.stdout("done");
          process.exit(4);
        },
      },
    });
    const prepared = await prepare(program);
    expect(engine.containers).toEqual([]);
    const running = prepared.begin();
    if (running instanceof Promise || running.streams === undefined) throw new Error("A program's streams are there at once");
    const output: string[] = [];
    running.streams.attachment.listen({ onStdout: (bytes) => output.push(Buffer.from(bytes).toString()), onStderr: () => undefined, onEnd: () => output.push("end") });
    const end = running.streams.begin(["LONGSHORE_INVOCATION_ID=1"]);
    expect(running.streams.attachment.write(Buffer.from("input"))).toBe(false);
    running.streams.attachment.endInput();
    if (end.kind !== "exit") throw new Error("A plain start is told by the engine");
    expect(await end.exited).toMatchObject({ exitCode: 4 });
    await settled();
    expect(seen).toEqual(["input"]);
    expect(output).toEqual(["done", "end"]);
    expect(engine.containers[0]?.spec.env).toContain("LONGSHORE_INVOCATION_ID=1");
    expect(await prepared.evidence(1_000)).toMatchObject({ exit: { exitCode: 4 } });
    await prepared.stop();
    expect(engine.containers).toEqual([]);
  });

  it("a program that cannot be started says so to its invocation, and leaves nothing", async () => {
    const { prepare, engine, clock } = scene({ hold: "" });
    const prepared = await prepare(program);
    const running = prepared.begin();
    if (running instanceof Promise || running.streams === undefined) throw new Error("A program's streams are there at once");
    engine.failNext("startContainer", new EngineError("bad_request", 400, "no such executable"));
    const end = running.streams.begin([]);
    await expect(end.kind === "exit" && end.exited).rejects.toThrow("no such executable");
    const evidence = prepared.evidence(1_000);
    await settled();
    clock.advance(1_000);
    expect(await evidence).toEqual({ exit: undefined, sawOutOfMemory: false });
    await prepared.stop();
    expect(engine.containers).toEqual([]);
  });
});

describe("a preparation that fails", () => {
  it.each(["attach", "startContainer"] as const)("at %s leaves no container behind", async (method) => {
    const { prepare, engine } = scene();
    engine.failNext(method, new EngineError("internal", 500, "out of luck"));
    await expect(prepare(server)).rejects.toMatchObject({ reason: "instance_start_failed", phase: "startup", message: 'Cannot start instance of "resize": out of luck' });
    await settled();
    expect(engine.containers).toEqual([]);
  });

  it("says when the engine does not answer", async () => {
    const { prepare, engine } = scene();
    engine.failNext("createContainer", new EngineError("unreachable", 0, "ECONNREFUSED"));
    await expect(prepare(server)).rejects.toMatchObject({ reason: "engine_unavailable" });
  });

  it("names an image without entrypoint and command", async () => {
    const { prepare } = scene();
    await expect(prepare({ ...server, image: { ...server.image, entrypoint: [] } })).rejects.toMatchObject({ reason: "image_has_no_command" });
  });

  it("brings an image again that was removed since it was last seen", async () => {
    const reference = `registry.test/resize@sha256:${"a".repeat(64)}`;
    const engine = createFakeEngine({ registry: { [reference]: {} } });
    const revision = testRevision();
    const { launcher, images } = scene({ engine });
    await images.ensure(revision);
    engine.failNext("createContainer", new EngineError("not_found", 404, "no such image"));
    await launcher.prepare({ instanceId: "i-1", revision });
    expect(engine.calls.filter((call) => call === "inspectImage")).toHaveLength(2);
    expect(engine.containers).toHaveLength(1);
  });

  it("tells an image that no registry has from one that could not be brought", async () => {
    const engine = createFakeEngine();
    const { launcher } = scene({ engine });
    await expect(launcher.prepare({ instanceId: "i-1", revision: testRevision() })).rejects.toMatchObject({ reason: "image_not_found" });
    engine.failNext("pullImage", new EngineError("internal", 500, "toomanyrequests"));
    await expect(launcher.prepare({ instanceId: "i-1", revision: testRevision() })).rejects.toMatchObject({ reason: "image_pull_failed" });
    await expect(launcher.prepare({ instanceId: "i-1", revision: localRevision() })).rejects.toMatchObject({ reason: "image_not_found" });
  });

  it("keeps an error of ours as it is", async () => {
    const { launcher, engine } = scene();
    const own = new LongshoreError("contract_unimplemented", "Cannot run", { phase: "admission" });
    engine.failNext("createContainer", own as never);
    await expect(launcher.prepare({ instanceId: "i-1", revision: server })).rejects.toBe(own);
  });
});

describe("an adopted instance", () => {
  it("goes on without a frame, on the address that the engine knows", async () => {
    const { launcher, engine, readiness } = scene();
    const first = await launcher.prepare({ instanceId: "i-1", revision: server });
    const [container] = engine.containers;
    if (container === undefined) throw new Error("No container");
    const adopted = await launcher.adopt({ container: container.owned, instanceId: "i-1", revisionDigest: server.digest, adoption: { contract: "http", mode: "become", port: 9000, concurrency: 80 } }, server);
    const begun = adopted.begin();
    await settled();
    readiness[0]?.ready();
    await expect(begun).resolves.toMatchObject({ address: { ip: "192.0.2.2" }, plan: { port: 9000, mode: "become", env: [], forwardsRequests: true } });
    await adopted.stop();
    expect(engine.containers).toEqual([]);
    await first.discard();
  });

  it("that ended before it was followed is known to have", async () => {
    const { launcher, engine } = scene();
    await launcher.prepare({ instanceId: "i-1", revision: server });
    const [container] = engine.containers;
    if (container === undefined) throw new Error("No container");
    const { owned } = container;
    container.kill();
    const adopted = await launcher.adopt({ container: owned, instanceId: "i-1", revisionDigest: server.digest, adoption: { contract: "http", mode: "become", concurrency: 80 } }, server);
    expect((await adopted.exited).exitCode).toBe(137);
  });
});

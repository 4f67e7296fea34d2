import { formatImageReference, parseImageReference } from "@longshore/protocol";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Attachment, type ContainerId, type ContainerSpec, type Engine, EngineError, type EngineEvent } from "../engine.ts";
import { captureOutput } from "./captured-output.ts";
import { type ContractProgramName, floodBytes } from "./contract-programs.ts";

/** An engine that is to keep the contract, and what the suite needs around it. */
export interface EngineUnderTest {
  readonly engine: Engine;
  /** The same engine as another agent sees it. */
  readonly otherAgent: Engine;
  /** An image reference and how to run one of the contract's programs in it. */
  program(name: ContractProgramName): Pick<ContainerSpec, "image" | "entrypoint" | "command">;
  /** An image that nothing else needs, by its one name. */
  spareImage(): Promise<string>;
  /** As `docker rm -f` from a terminal. */
  removeFromOutside(id: ContainerId): Promise<void>;
  close(): Promise<void>;
}

const mebibyte = 2 ** 20;

/** What every engine must do. */
export function describeEngineContract(name: string, create: () => Promise<EngineUnderTest>): void {
  describe(`${name} keeps the engine contract`, () => {
    let under: EngineUnderTest;
    let engine: Engine;
    let made = 0;

    beforeAll(async () => {
      under = await create();
      engine = under.engine;
      await engine.ensureNetworks();
      await under.otherAgent.ensureNetworks();
    });
    afterEach(async () => {
      for (const each of [engine, under.otherAgent]) await Promise.all((await each.listOwned()).map(({ id }) => each.removeContainer(id)));
    });
    afterAll(async () => {
      await engine.removeNetworks();
      await under.otherAgent.removeNetworks();
      await under.close();
    });

    const specOf = (program: ContractProgramName, changes: Partial<ContainerSpec> = {}): ContainerSpec => ({
      ...under.program(program),
      name: `longshore-contract-${process.pid}-${++made}`,
      env: [],
      labels: {},
      memoryBytes: 64 * mebibyte,
      cpuMillis: 1000,
      pidsLimit: 64,
      scratchBytes: mebibyte,
      profile: "standard",
      volumes: [],
      network: "none",
      mounts: [],
      stdin: true,
      ...changes,
    });
    const createAttached = async (program: ContractProgramName, changes: Partial<ContainerSpec> = {}): Promise<{ id: ContainerId; attachment: Attachment }> => {
      const id = await engine.createContainer(specOf(program, changes));
      return { id, attachment: await engine.attach(id, { stdin: changes.stdin ?? true }) };
    };
    const startAttached = async (program: ContractProgramName, changes: Partial<ContainerSpec> = {}) => {
      const { id, attachment } = await createAttached(program, changes);
      const output = captureOutput(attachment);
      const address = await engine.startContainer(id);
      return { id, attachment, output, address };
    };

    it("says who it is", async () => {
      const description = await engine.describe();
      expect(description).toMatchObject({ name: expect.any(String) as string, version: expect.stringMatching(/./) as string, architecture: expect.stringMatching(/^(amd64|arm64)$/) as string });
      expect(description.cpuMillis).toBeGreaterThan(0);
      expect(description.memoryBytes).toBeGreaterThan(0);
    });

    it("says how much room there is for images", async () => {
      const { totalBytes = 0, freeBytes = 0 } = (await engine.diskSpace()) ?? {};
      expect(freeBytes).toBeGreaterThan(0);
      expect(totalBytes).toBeGreaterThan(freeBytes);
    });

    describe("images", () => {
      it("are found by reference and by id, and are undefined when absent", async () => {
        const { image } = under.program("echo");
        const facts = await engine.inspectImage(image);
        expect(facts?.imageId).toMatch(/^sha256:[0-9a-f]{64}$/);
        expect(await engine.inspectImage(facts?.imageId ?? "")).toEqual(facts);
        expect(await engine.inspectImage("longshore-test/absent:1")).toBeUndefined();
      });

      it("are listed with their names and sizes", async () => {
        const { image } = under.program("echo");
        const { imageId = "" } = (await engine.inspectImage(image)) ?? {};
        const listed = (await engine.listImages()).find((present) => present.imageId === imageId);
        expect(listed?.names).toContain(formatImageReference(parseImageReference(image)));
        expect(listed?.sizeBytes).toBeGreaterThan(0);
      });

      it("that a container needs, though it never ran, cannot be removed; then they can, and removing them again is no error", async () => {
        const image = await under.spareImage();
        const id = await engine.createContainer({ ...specOf("speak"), image });
        await expect(engine.removeImage(image)).rejects.toMatchObject({ name: "EngineError", failure: "conflict" });
        expect(await engine.inspectImage(image)).toBeDefined();
        await engine.removeContainer(id);
        await engine.removeImage(image);
        expect(await engine.inspectImage(image)).toBeUndefined();
        await engine.removeImage(image);
      });

      it("that no registry has cannot be pulled", async () => {
        await expect(engine.pullImage("127.0.0.1:9/longshore-test/absent:1", {})).rejects.toBeInstanceOf(EngineError);
      });

      it("are not waited for once the caller has given up", async () => {
        const reason = new Error("gave up");
        await expect(engine.pullImage("127.0.0.1:9/longshore-test/absent:1", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      });
    });

    describe("streams", () => {
      it("keep stdout and stderr apart, and end", async () => {
        const { id, output } = await startAttached("speak");
        expect(await output.ended).toBeUndefined();
        expect([output.stdout.toString(), output.stderr.toString()]).toEqual(["out\n", "err\n"]);
        expect(await engine.waitExit(id)).toMatchObject({ running: false, exitCode: 3, oomKilled: false });
      });

      it("hold what came before anyone listened", async () => {
        const { id, attachment } = await createAttached("speak");
        await engine.startContainer(id);
        await engine.waitExit(id);
        const output = captureOutput(attachment);
        expect(await output.ended).toBeUndefined();
        expect(output.stdout.toString()).toBe("out\n");
      });

      it("tell a later listener of an end that was told before", async () => {
        const { attachment, output } = await startAttached("speak");
        await output.ended;
        expect(await captureOutput(attachment).ended).toBeUndefined();
      });

      it("carry input unchanged, and output goes on after its end", async () => {
        const { id, attachment, output } = await startAttached("echo");
        const bytes = Buffer.from(Uint8Array.from({ length: 70_000 }, (_, index) => (index * 31) % 256));
        attachment.write(bytes);
        attachment.endInput();
        await output.ended;
        expect(output.stdout.equals(bytes)).toBe(true);
        expect(await engine.waitExit(id)).toMatchObject({ exitCode: 0 });
      });

      it("end the input of an instance when the attachment is closed, as when the agent dies", async () => {
        const { id, attachment, output } = await startAttached("echo");
        attachment.write(Buffer.from("x"));
        await output.said("x");
        attachment.close();
        expect(await engine.waitExit(id)).toMatchObject({ running: false, exitCode: 0 });
      });

      it("have no input without stdin", async () => {
        const { output } = await startAttached("count", { stdin: false });
        await output.ended;
        expect(output.stdout.toString().trim()).toBe("0");
      });

      it("say when to wait before writing more, and when to go on", async () => {
        const { id, attachment, output } = await startAttached("countLate");
        await output.said("ready");
        const chunk = new Uint8Array(65_536);
        let written = 0;
        do written += chunk.length;
        while (attachment.write(chunk) && written < 64 * mebibyte);
        expect(written).toBeLessThan(64 * mebibyte);
        const drained = output.drained();
        await engine.signal(id, "SIGTERM");
        await drained;
        attachment.endInput();
        await output.ended;
        expect(output.stdout.toString()).toContain(String(written));
      });

      it("deliver nothing while paused, and everything after", async () => {
        const { id, attachment } = await createAttached("flood");
        let bytes = 0;
        let bytesWhilePaused = 0;
        let isPaused = false;
        const paused = Promise.withResolvers<void>();
        const ended = Promise.withResolvers<void>();
        attachment.listen({
          onStdout(chunk) {
            if (isPaused) bytesWhilePaused += chunk.length;
            bytes += chunk.length;
            if (bytes < mebibyte || bytes - chunk.length >= mebibyte) return;
            attachment.pause();
            // What was read in one piece may still arrive in this turn.
            setImmediate(() => ((isPaused = true), paused.resolve()));
          },
          onStderr() {},
          onEnd: () => ended.resolve(),
        });
        await engine.startContainer(id);
        await paused.promise;
        expect(await engine.inspectContainer(id)).toMatchObject({ running: true });
        isPaused = false;
        attachment.resume();
        await ended.promise;
        expect([bytes, bytesWhilePaused]).toEqual([floodBytes, 0]);
      });
    });

    describe("containers", () => {
      it("have an address and are listed for their agent only", async () => {
        const { id, address } = await startAttached("wait", { labels: { "longshore.instance": "i1" } });
        for (const each of [address.ip, address.gateway]) expect(each).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
        const owned = await engine.listOwned();
        expect(owned).toMatchObject([{ id, running: true, ip: address.ip, labels: { "longshore.instance": "i1" } }]);
        expect(await under.otherAgent.listOwned()).toEqual([]);
      });

      it("end by a signal, and further signals are no error", async () => {
        const { id, output } = await startAttached("wait");
        await output.said("ready");
        await engine.signal(id, "SIGTERM");
        expect(await engine.waitExit(id)).toMatchObject({ running: false, exitCode: 7 });
        await engine.signal(id, "SIGTERM");
        await engine.removeContainer(id);
        await engine.signal(id, "SIGTERM");
      });

      it("that are paused do nothing until they are resumed, and doing either twice is no error", async () => {
        const { id, attachment, output } = await startAttached("echo");
        await engine.pauseContainer(id);
        await engine.pauseContainer(id);
        attachment.write(Buffer.from("late"));
        expect(await engine.inspectContainer(id)).toMatchObject({ running: true });
        expect(output.stdout.toString()).toBe("");
        await engine.resumeContainer(id);
        await engine.resumeContainer(id);
        await output.said("late");
        await engine.pauseContainer(id);
        await engine.removeContainer(id);
        await expect(engine.resumeContainer(id)).rejects.toBeInstanceOf(EngineError);
      });

      it("that are removed are gone, and removing them again is no error", async () => {
        const { id } = await startAttached("wait");
        await engine.removeContainer(id);
        expect(await engine.inspectContainer(id)).toBeUndefined();
        await engine.removeContainer(id);
        expect(await engine.waitExit(id)).toMatchObject({ running: false, exitCode: undefined });
      });

      it("may be removed from several sides at once", async () => {
        const { id } = await startAttached("wait");
        await Promise.all([engine.removeContainer(id), engine.removeContainer(id), engine.removeContainer(id)]);
        expect(await engine.inspectContainer(id)).toBeUndefined();
      });

      it("that were never started have no exit code", async () => {
        const id = await engine.createContainer(specOf("speak"));
        expect(await engine.inspectContainer(id)).toMatchObject({ running: false, exitCode: undefined });
      });

      it("that are removed from outside are noticed by who waits and who watches", async () => {
        const events: EngineEvent[] = [];
        const removed = Promise.withResolvers<void>();
        const watch = engine.watch((event) => {
          events.push(event);
          if (event.kind === "removed") removed.resolve();
        });
        const { id, output } = await startAttached("wait");
        await output.said("ready");
        const exit = engine.waitExit(id);
        await under.removeFromOutside(id);
        expect(await exit).toMatchObject({ running: false });
        await removed.promise;
        expect(events).toEqual([{ kind: "exited", id, exitCode: 137 }, { kind: "removed", id }]);
        watch.close();
      });

      it("of others cause no events", async () => {
        const events: EngineEvent[] = [];
        const watch = under.otherAgent.watch((event) => events.push(event));
        const sentinel = Promise.withResolvers<void>();
        const { id } = await startAttached("speak");
        await engine.waitExit(id);
        await engine.removeContainer(id);
        const otherWatch = under.otherAgent.watch((event) => event.kind === "removed" && sentinel.resolve());
        const others = await under.otherAgent.createContainer(specOf("speak"));
        await under.otherAgent.removeContainer(others);
        await sentinel.promise;
        expect(events.filter((event) => event.kind !== "gap" && event.id === id)).toEqual([]);
        watch.close();
        otherWatch.close();
      });

      it("that run out of memory say so, even when only a child was killed", async () => {
        const told = Promise.withResolvers<EngineEvent>();
        const watch = engine.watch((event) => event.kind === "out_of_memory" && told.resolve(event));
        const { id } = await startAttached("hog", { memoryBytes: 32 * mebibyte });
        expect(await engine.waitExit(id)).toMatchObject({ exitCode: 0, oomKilled: true });
        expect(await told.promise).toEqual({ kind: "out_of_memory", id });
        watch.close();
      });
    });

    describe("failures", () => {
      const failure = (kind: EngineError["failure"]) => expect.objectContaining({ name: "EngineError", failure: kind }) as EngineError;
      const absent = "0".repeat(64) as ContainerId;

      it("are `not_found` for what is not there", async () => {
        await expect(engine.createContainer({ ...specOf("speak"), image: "longshore-test/absent:1" })).rejects.toEqual(failure("not_found"));
        await expect(engine.startContainer(absent)).rejects.toEqual(failure("not_found"));
        await expect(engine.attach(absent, { stdin: false })).rejects.toEqual(failure("not_found"));
      });

      it("are `conflict` for a name that is taken", async () => {
        const spec = specOf("speak");
        await engine.createContainer(spec);
        await expect(engine.createContainer(spec)).rejects.toEqual(failure("conflict"));
      });
    });
  });
}

import { createHash, randomBytes } from "node:crypto";
import type { FunctionDocument } from "@longshore/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { docker } from "../support/agent-engine.ts";
import { containerOf, linesOf, whileDeployed } from "../support/deployed.ts";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { shellFunction } from "../support/functions.ts";
import { ensureImage, type ImageContents } from "../support/images/ensure-image.ts";
import { ensureScratchImage } from "../support/images/unusual-images.ts";

const mebibyte = 2 ** 20;
type Config = ImageContents["config"];

describe("an image", () => {
  let test: TestFleet;
  beforeAll(async () => {
    test = await startFleet({ sites: ["plant"] });
  });
  afterAll(() => test.close());

  const textOf = async (name: string) => (await test.fleet.call(name)).text();

  describe("of a command runs", () => {
    const tree = {
      "/app/run": { content: "#!/bin/sh\necho \"$0 in $(pwd)\"\n", mode: 0o755 },
      "/vault": { directory: true, mode: 0o700, ownerId: 1000 },
    } as const;
    it.each<[string, Config, Partial<FunctionDocument>, string]>([
      ["an entrypoint with its arguments, each word one", { entrypoint: ["/bin/echo", "a b"], cmd: ["c  d", "$HOME"] }, {}, "a b c  d $HOME\n"],
      ["a command as a shell reads it", { cmd: ["/bin/sh", "-c", "echo $GREETING | tr a-z A-Z"], env: { GREETING: "ahoy" } }, {}, "AHOY\n"],
      ["an entrypoint as a shell reads it, which takes no arguments", { entrypoint: ["/bin/sh", "-c", "echo shell $#"], cmd: ["dropped"] }, {}, "shell 0\n"],
      ["an entrypoint with the function's arguments", { entrypoint: ["/bin/echo"], cmd: ["of the image"] }, { args: ["of the function"] }, "of the function\n"],
      ["the function's command, without the image's arguments", { entrypoint: ["/bin/false"], cmd: ["of the image"] }, { command: ["/bin/echo", "mine"] }, "mine\n"],
      ["a program that is named from its working directory", { entrypoint: ["./run"], workdir: "/app" }, {}, "./run in /app\n"],
      ["in a working directory that is not there yet", { cmd: ["pwd"], workdir: "/not/there" }, {}, "/not/there\n"],
      ["in the function's working directory", { cmd: ["pwd"], workdir: "/app" }, { workingDirectory: "/tmp" }, "/tmp\n"],
      ["in a working directory that only its user may enter", { cmd: ["pwd"], workdir: "/vault", user: "1000" }, {}, "/vault\n"],
      ["as a user by name, with its group", { cmd: ["/bin/sh", "-c", "id -u; id -g"], user: "node" }, {}, "1000\n1000\n"],
      ["as a user by an id that nobody has", { cmd: ["/bin/sh", "-c", "id -u; id -g"], user: "1001" }, {}, "1001\n0\n"],
      ["as a user and a group by name", { cmd: ["/bin/sh", "-c", "id -u; id -g"], user: "node:nogroup" }, {}, "1000\n65534\n"],
      ["with variables that hold = and line ends, the function's over its own", { cmd: ["/bin/sh", "-c", 'echo "$A"; echo "$B"'], env: { A: "b=c\n d=\"e\"", B: "image" } }, { env: { B: "function\n=" } }, 'b=c\n d="e"\nfunction\n=\n'],
      ["with labels of its own, ours among them", { cmd: ["echo", "labelled"], labels: { maintainer: "a=b", "longshore.agent": "somebody", "longshore.instance": "x", "longshore.contract": "stdio" } }, {}, "labelled\n"],
    ])("%s", async (_, config, changes, expected) => {
      const image = await ensureImage("busybox", { files: tree, config });
      expect(await whileDeployed(test, { name: "command", image, memoryBytes: 16 * mebibyte, ...changes }, textOf)).toBe(expected);
    });

    it("from nothing but one static file", async () => {
      const image = await ensureScratchImage(["--version"]);
      expect(await whileDeployed(test, { name: "scratch", image }, textOf)).toMatch(/^ld.* \d/);
    });
  });

  it("whose user may not enter its working directory keeps its user, or says so in the engine's words to its first caller", async () => {
    const image = await ensureImage("busybox", { files: { "/vault": { directory: true, mode: 0o700, ownerId: 1000 } }, config: { cmd: ["id", "-u"], workdir: "/vault", user: "1001" } });
    const told = await whileDeployed(test, { name: "barred", image }, (name) => textOf(name).catch((error: unknown) => String(error)));
    expect(told).toMatch(/^1001\n$|\/vault.*permission denied/); // Some engines enter it as root, before they take the image's user.
  });

  it("whose working directory is a file says so, in the engine's words, to its first caller", async () => {
    const image = await ensureImage("busybox", { config: { cmd: ["pwd"], workdir: "/bin/busybox" } });
    await whileDeployed(test, { name: "barred", image }, (name) =>
      expect(test.fleet.invoke(name)).rejects.toMatchObject({ reason: "instance_start_failed", phase: "startup", message: expect.stringContaining("/bin/busybox") as string }));
  });

  describe("under profile strict", () => {
    const files = { "/etc/passwd": { content: "root:x:0:0::/:/bin/sh\nroot-too:x:0:0::/:/bin/sh\napp:x:1001:1001::/:/bin/sh\n" } };
    const deployStrict = async (name: string, config: Config, changes: Partial<FunctionDocument> = {}) => test.fleet.deploy({ name, image: await ensureImage("busybox", { files, config }), profile: "strict", memoryBytes: 64 * mebibyte, ...changes });

    it.each([undefined, "root", "0", "+0", "0:1001"])("is refused at deploy when its user is root: %s", async (user) => {
      const refusal = { reason: "image_runs_as_root", field: "profile", message: expect.stringMatching(/give it a USER that is not root, or deploy it under profile "standard"/) as string };
      await expect(deployStrict("rooted", { cmd: ["id"], ...(user !== undefined && { user }) })).rejects.toMatchObject(refusal);
    });

    it("is refused to its first caller when its user is root by another name, and no line of it has run", async () => {
      await deployStrict("rooted", { cmd: ["id"], user: "root-too" });
      await expect(test.fleet.invoke("rooted")).rejects.toMatchObject({ reason: "image_runs_as_root", phase: "startup" });
      await test.fleet.remove("rooted");
    });

    it("has as much room in each of its volumes as its scratch, and no volume of the engine's", async () => {
      const fill = 'for at in /data /tmp; do head -c 900000 /dev/zero > $at/a && echo fits; head -c 900000 /dev/zero 2>/dev/null > $at/b || echo full; done; touch /x 2>/dev/null || echo read-only; id -u';
      await deployStrict("bounded", { cmd: ["/bin/sh", "-c", fill], user: "app", volumes: ["/data", "/tmp"] }, { scratchBytes: mebibyte });
      await test.untilHeld("bounded-r1", "plant");
      const { Mounts } = await (await containerOf(test, "bounded")).inspect();
      expect(Mounts.filter(({ Type }) => Type === "volume").map(({ Destination }) => Destination)).toEqual([]);
      expect(await textOf("bounded")).toBe("fits\nfull\nfits\nfull\nread-only\n1001\n");
      await test.fleet.remove("bounded");
    });
  });

  describe("that needs a runtime of the container engine", () => {
    it("runs where there is that runtime", async () => {
      expect(await whileDeployed(test, await shellFunction("contained", "echo inside", { runtime: "io.containerd.runc.v2" }), async (name) => {
        await test.untilHeld(`${name}-r1`, "plant");
        expect((await (await containerOf(test, name)).inspect()).HostConfig.Runtime).toBe("io.containerd.runc.v2");
        return textOf(name);
      })).toBe("inside\n");
      expect((await test.fleet.agents.list())[0]?.introduction?.runtimes).toContain("runc");
    });

    it("is refused by name where there is none", async () => {
      const refusal = { reason: "no_agent_eligible", phase: "placement", message: expect.stringMatching(/no agent that fits has the container runtime "kata-none" \(there are .*"runc"/) as string };
      await expect(test.fleet.deploy(await shellFunction("contained", "true", { runtime: "kata-none" }))).rejects.toMatchObject(refusal);
    });
  });

  describe("that is odd about its streams:", () => {
    const outcomeOf = async (name: string) => {
      const answer = await test.fleet.call(name);
      let text = "";
      try {
        for await (const chunk of answer.body) text += String(Buffer.from(chunk));
      } catch {
        // A body breaks off where the function fails: the result says how.
      }
      return { text, result: await answer.result };
    };

    it("closes them and goes on: its end counts, not theirs", async () => {
      const script = "printf early; exec >&- 2>&-; sleep 1; exit 3";
      expect(await whileDeployed(test, await shellFunction("closing", script), outcomeOf)).toMatchObject({ text: "early", result: { outcome: "failed", exitCode: 3 } });
    });

    it("leaves a process in the background, which holds them: its own end counts", async () => {
      expect(await whileDeployed(test, await shellFunction("forking", "sleep 600 & echo now"), outcomeOf)).toMatchObject({ text: "now\n", result: { outcome: "succeeded" } });
    });

    it("prints a gigabyte: all of it is passed on, and none of it kept", async () => {
      const bytes = 2 ** 30;
      await whileDeployed(test, await shellFunction("gushing", `head -c ${bytes} /dev/zero`, { timeoutMs: 300_000 }), async (name) => {
        const before = process.memoryUsage().rss;
        const answer = await test.fleet.call(name, undefined, { timeoutMs: 300_000 });
        let [seen, most] = [0, 0];
        for await (const chunk of answer.body) {
          seen += chunk.length;
          most = Math.max(most, process.memoryUsage().rss - before);
        }
        expect(seen).toBe(bytes);
        expect(await answer.result).toMatchObject({ outcome: "succeeded" });
        expect(most).toBeLessThan(512 * mebibyte); // Broker, agent and caller are one process here.
      });
    }, 300_000);

    it("5 MB of anything go in, and out on both, apart and byte for byte, with and without input", async () => {
      const bytes = randomBytes(5_000_000);
      await whileDeployed(test, await shellFunction("both", "tee /tmp/in; md5sum < /tmp/in >&2", { memoryBytes: 64 * mebibyte }), async (name) => {
        const answer = await test.fleet.call(name, bytes);
        expect(Buffer.compare(await answer.bytes(), bytes)).toBe(0);
        const lines = await linesOf(test.fleet.invocation(answer.invocationId).logs());
        expect(lines).toEqual([`${createHash("md5").update(bytes).digest("hex")}  -`]);
        expect(await (await test.fleet.call(name)).bytes()).toHaveLength(0);
      });
    });
  });

  it("is handed a secret byte for byte, which the engine never shows", async () => {
    const secret = "-----BEGIN-----\nä=b\r\n\t \u0001end\n\n";
    await whileDeployed(test, await shellFunction("secretive", 'printf %s "$S"', { secrets: { S: secret }, minInstances: 1 }), async (name) => {
      expect(await textOf(name)).toBe(secret);
      const listed = await docker.listContainers({ all: true, filters: { label: [`longshore.agent=${test.agents[0]?.agentId}`] } });
      const inspected = await Promise.all(listed.map(({ Id }) => docker.getContainer(Id).inspect().catch(() => undefined)));
      expect(JSON.stringify(inspected)).not.toContain("BEGIN");
    });
    await expect(test.fleet.deploy(await shellFunction("secretive", "true", { secrets: { S: "a\0b" } }))).rejects.toMatchObject({ reason: "bad_schema", field: "secrets.S" });
  });

  it("without entrypoint and command is refused at deploy, unless the function has one", async () => {
    const image = await ensureImage("busybox", { config: {} });
    await expect(test.fleet.deploy({ name: "void", image })).rejects.toMatchObject({ reason: "image_has_no_command", field: "command" });
    expect(await whileDeployed(test, { name: "void", image, command: ["echo", "x"] }, textOf)).toBe("x\n");
  });
});

import Docker from "dockerode";
import { describe, expect, test } from "vitest";
import { ensureImage } from "../support/images/ensure-image.ts";

const docker = new Docker();

/** Runs an image to its end and returns what it printed. */
async function run(image: string, command: string[] = []): Promise<string> {
  const container = await docker.createContainer({ Image: image, Cmd: command, Tty: true, NetworkDisabled: true });
  try {
    const output = await container.attach({ stream: true, stdout: true, stderr: true });
    await container.start();
    let text = "";
    for await (const chunk of output) text += String(chunk);
    return text.trim();
  } finally {
    await container.remove({ force: true, v: true });
  }
}

describe("ensureImage()", () => {
  test("busybox has a shell and its programs, and files put over it", async () => {
    const image = await ensureImage("busybox", {
      files: { "/opt/count.sh": { content: "#!/bin/sh\nprintf 'one two' | wc -w; id -u; pwd; echo $COLOUR\n", mode: 0o755 } },
      config: { entrypoint: ["/opt/count.sh"], user: "nobody", workdir: "/tmp", env: { COLOUR: "red" } },
    });
    expect((await run(image)).split(/\r?\n/)).toEqual(["2", "65534", "/tmp", "red"]);
  });

  test("node runs a program put over it, as the user it names", async () => {
    const image = await ensureImage("node", {
      files: { "/app/main.mjs": { content: "console.log(`${process.versions.node} ${process.getuid()}`)" } },
      config: { cmd: ["node", "/app/main.mjs"], user: "node" },
    });
    expect(await run(image, ["node", "/app/main.mjs"])).toBe(`${process.versions.node} 1000`);
  });

  test("python has its library, compiled parts included", async () => {
    const program = "import json, ssl, http.server, zlib; print(json.dumps({'sum': sum(range(5))}))";
    expect(await run(await ensureImage("python", { config: { cmd: ["python3"] } }), ["python3", "-c", program])).toBe('{"sum": 10}');
  });

  test("an image says what was asked and nothing of its base's", async () => {
    const image = await ensureImage("busybox", {
      config: {
        exposed: [8080, 9090],
        stopSignal: "SIGQUIT",
        volumes: ["/data"],
        healthcheck: ["true"],
        labels: { "longshore.contract": "http" },
      },
    });
    const { Config } = await docker.getImage(image).inspect();
    expect(Config).toMatchObject({ StopSignal: "SIGQUIT", Volumes: { "/data": {} }, Labels: { "longshore.contract": "http" } });
    for (const none of [Config.Entrypoint, Config.Cmd]) expect([[], null]).toContainEqual(none);
    expect(Object.keys(Config.ExposedPorts)).toEqual(["8080/tcp", "9090/tcp"]);
    expect(Config.Healthcheck?.Test).toEqual(["CMD", "true"]);
  });

  test("equal contents are one image, other contents another", async () => {
    const make = (text: string) => ensureImage("busybox", { files: { "/note": { content: text } }, config: { cmd: ["cat", "/note"] } });
    const [first, again, other] = [await make("a"), await make("a"), await make("b")];
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });
});

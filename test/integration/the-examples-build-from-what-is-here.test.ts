import { once } from "node:events";
import Docker from "dockerode";
import { buildExample, type ExampleName } from "longshore/examples";
import { createEngineImages } from "longshore/local-images";
import { beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";

const docker = new Docker();
const images = createEngineImages(docker);

/** An example's container for one test: removed at its end. */
async function start(name: ExampleName) {
  const container = await docker.createContainer({ Image: `longshore.local/example/${name}:latest`, Env: ["PORT=8080"], OpenStdin: true, StdinOnce: true });
  await container.start();
  const { NetworkSettings } = await container.inspect();
  const remove = async () => {
    await container.remove({ force: true, v: true });
  };
  return { container, address: `${NetworkSettings.Networks["bridge"]?.IPAddress}:8080`, [Symbol.asyncDispose]: remove };
}

/** The first answer of a server that is starting. */
async function untilAnswers(url: string, init?: RequestInit): Promise<Response> {
  for (;;) {
    try {
      return await fetch(url, init);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

describe.each(["hello-http", "wordcount", "sse", "echo-ws"] as const)("buildExample(%s)", (name) => {
  test("builds its ordinary Dockerfile without pulling anything", async () => {
    const lines: string[] = [];
    await expect(buildExample(name, images, { onLine: (line) => lines.push(line) })).resolves.toBe(`longshore.local/example/${name}:latest`);
    expect(lines.join("\n")).toMatch(/FROM|Step/);
  });
});

describe("the example", () => {
  beforeAll(async () => {
    for (const name of ["hello-http", "wordcount", "sse", "echo-ws"] as const) await buildExample(name, images);
  });

  test("hello-http greets, survives what is no JSON, and ends by SIGTERM with code 0", async () => {
    await using server = await start("hello-http");
    const url = `http://${server.address}/`;
    expect(await (await untilAnswers(url, { method: "POST", body: '{"name":"you"}' })).json()).toMatchObject({ message: "hello you" });
    for (const body of ["null", "{", "[]"]) {
      expect(await (await fetch(url, { method: "POST", body })).json()).toMatchObject({ message: "hello world" });
    }
    await server.container.kill({ signal: "SIGTERM" });
    expect(await server.container.wait()).toMatchObject({ StatusCode: 0 });
  });

  test("wordcount counts the words of its standard input", async () => {
    const container = await docker.createContainer({ Image: "longshore.local/example/wordcount:latest", OpenStdin: true, StdinOnce: true });
    try {
      const stream = await container.attach({ stream: true, hijack: true, stdin: true, stdout: true });
      await container.start();
      stream.end("one two three four");
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      // Each chunk of the engine's stream has a head of eight bytes.
      expect(Buffer.concat(chunks).subarray(8).toString().trim()).toBe("4");
    } finally {
      await container.remove({ force: true, v: true });
    }
  });

  test("sse sends as many events as it is asked for", async () => {
    await using server = await start("sse");
    const url = `http://${server.address}/?n=`;
    const answer = await untilAnswers(`${url}2`);
    expect(answer.headers.get("content-type")).toBe("text/event-stream");
    expect((await answer.text()).match(/^id: \d+$/gm)).toEqual(["id: 1", "id: 2"]);
    expect((await fetch(`${url}many`)).status).toBe(400);
  });

  test("echo-ws answers text and bytes of every length with themselves, a ping with a pong, and closes when asked", async () => {
    await using server = await start("echo-ws");
    await untilAnswers(`http://${server.address}/`);
    const socket = new WebSocket(`ws://${server.address}/`, { perMessageDeflate: false });
    await once(socket, "open");
    for (const message of ["", "hello", "x".repeat(125), "y".repeat(126), "z".repeat(70_000)]) {
      socket.send(message);
      expect(String((await once(socket, "message"))[0])).toBe(message);
    }
    const bytes = Buffer.from([0, 255, 1, 254]);
    socket.send(bytes);
    expect((await once(socket, "message")).slice(0, 2)).toEqual([bytes, true]);
    socket.ping("still there?");
    expect(String((await once(socket, "pong"))[0])).toBe("still there?");
    socket.close(1000, "done");
    expect((await once(socket, "close"))[0]).toBe(1000);
  });
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePorts } from "../support/altered-nats.ts";
import { LoopStore } from "../support/loop-store.ts";
import { natsServerExecutable } from "../support/nats.ts";

const folder = mkdtempSync(join(tmpdir(), "longshore-power-"));
const acknowledged = 100;
let store: LoopStore;

beforeAll(() => {
  mkdirSync(join(folder, "disk"));
  store = LoopStore.create(join(folder, "disk"), folder, 128 * 2 ** 20);
});

afterAll(() => {
  store[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

/** Starts a server on the store; `settings`: further lines of its `jetstream {}`. */
async function startServer(name: string, settings: string) {
  const [port = 0] = await freePorts(1);
  const configuration = join(folder, `${name}.conf`);
  writeFileSync(configuration, `listen: "127.0.0.1:${port}"\njetstream {\n  store_dir: ${JSON.stringify(join(store.folder, name))}\n  ${settings}\n}\n`);
  const server = spawn(natsServerExecutable, ["-c", configuration], { stdio: ["ignore", "ignore", "pipe"] });
  const exited = once(server, "exit");
  for await (const line of createInterface({ input: server.stderr })) if (line.includes("Server is ready")) break;
  server.stderr.resume();
  const connection = await connect({ servers: `127.0.0.1:${port}`, reconnect: false });
  const kill = async () => {
    server.kill("SIGKILL");
    await Promise.all([exited, connection.closed()]);
  };
  return { connection, kill };
}

/** Publishes, cuts the power as soon as everything is acknowledged, and says how much of it is there afterwards. */
async function keptOver(name: string, settings: string): Promise<number> {
  const before = await startServer(name, settings);
  await before.connection.request("$JS.API.STREAM.CREATE.S", JSON.stringify({ name: "S", subjects: ["s.>"], storage: "file" }));
  store.sync(); // What is to be shown is of messages.
  for (let index = 1; index <= acknowledged; index += 1) {
    const answer = await before.connection.request(`s.${index}`, `message ${index}`);
    expect(answer.json()).toMatchObject({ seq: index });
  }
  await before.kill();
  store.cutPower();
  const after = await startServer(name, settings);
  const answer = await after.connection.request("$JS.API.STREAM.INFO.S");
  await after.kill();
  return answer.json<{ state: { messages: number } }>().state.messages;
}

describe("a power cut", () => {
  it("takes acknowledged messages of a server that syncs as it does by default", async () => {
    expect(await keptOver("default", "")).toBeLessThan(acknowledged);
  });

  it("takes none of a server that syncs always", async () => {
    expect(await keptOver("always", "sync_interval: always")).toBe(acknowledged);
  });
});

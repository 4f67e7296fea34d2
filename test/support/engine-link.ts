import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A socket in front of the engine's own that can be taken away, as when the engine is stopped, or go silent, as when it hangs. */
export interface EngineLink {
  readonly socketPath: string;
  /** Breaks every connection and refuses new ones. */
  cut(): Promise<void>;
  restore(): Promise<void>;
  /** Accepts connections and requests, and passes nothing on. */
  freeze(): void;
  thaw(): void;
  close(): Promise<void>;
}

const engineSocket = (process.env["DOCKER_HOST"] ?? "unix:///var/run/docker.sock").replace(/^unix:\/\//, "");

/** Opens such a link. */
export async function openEngineLink(): Promise<EngineLink> {
  const folder = mkdtempSync(join(tmpdir(), "longshore-engine-link-"));
  const socketPath = join(folder, "engine.sock");
  const pairs = new Set<readonly [Socket, Socket]>();
  let isFrozen = false;
  let server = createServer();

  const bridge = (client: Socket) => {
    const engine = connect(engineSocket);
    const pair = [client, engine] as const;
    pairs.add(pair);
    for (const [from, to] of [pair, [engine, client]] as const) {
      from.on("data", (chunk) => to.write(chunk) || from.pause());
      to.on("drain", () => isFrozen || from.resume());
      from.on("end", () => to.end());
      from.on("error", () => to.destroy());
      from.on("close", () => (to.destroy(), pairs.delete(pair)));
      if (isFrozen) from.pause();
    }
  };
  const listen = () =>
    new Promise<void>((resolve) => {
      server = createServer({ allowHalfOpen: true }, bridge);
      server.listen(socketPath, resolve);
    });
  const cut = () =>
    new Promise<void>((resolve) => {
      for (const pair of pairs) for (const socket of pair) socket.destroy();
      server.close(() => resolve());
    });
  const setFrozen = (frozen: boolean) => {
    isFrozen = frozen;
    for (const pair of pairs) for (const socket of pair) socket[frozen ? "pause" : "resume"]();
  };

  await listen();
  return {
    socketPath,
    cut,
    restore: listen,
    freeze: () => setFrozen(true),
    thaw: () => setFrozen(false),
    async close() {
      await cut();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

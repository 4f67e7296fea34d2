import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startCommand } from "../../test/support/processes.ts";
import { residentBytes } from "../process-usage.ts";

/** A broker in a process of its own on a bus that is there already, whose heap can be emptied of garbage. */
export interface ScaleBroker extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** From the process's beginning until it took calls. */
  readonly startMs: number;
  /** Resolves once so many agents are ready, with how long after the process's beginning. */
  untilReady(agents: number): Promise<number>;
  /** Resident memory once garbage is collected. */
  residentBytes(): Promise<number>;
}

/** Starts one; `busFolder` holds the bus's credentials. */
export async function startScaleBroker(busFolder: string): Promise<ScaleBroker> {
  const dataFolder = mkdtempSync(join(tmpdir(), "longshore-scale-"));
  const begunMs = performance.now();
  const { process, lines } = startCommand(["broker", "--data", dataFolder, "--listen", "127.0.0.1:0"], {
    LONGSHORE_BROKER_LOG_LEVEL: "error",
    LONGSHORE_BROKER_BUS_CREDENTIALS: join(busFolder, "credentials"),
    NODE_OPTIONS: "--inspect=127.0.0.1:0",
  });
  const { url } = JSON.parse(await lines.next()) as { url: string };
  const startMs = performance.now() - begunMs;
  return {
    url,
    pid: process.pid,
    startMs,
    async untilReady(agents) {
      while ((await readyAgents(url)) < agents) await delay(50);
      return performance.now() - begunMs;
    },
    async residentBytes() {
      await collectGarbage(/ws:\/\/\S+/.exec(process.errors())?.[0] ?? "");
      return residentBytes(process.pid);
    },
    async [Symbol.asyncDispose]() {
      await process.interrupt();
      rmSync(dataFolder, { recursive: true });
    },
  };
}

async function readyAgents(url: string): Promise<number> {
  const page = await (await fetch(`${url}/metrics`)).text();
  return Number(/^longshore_agents\{state="ready"\} (\d+)$/m.exec(page)?.[1] ?? 0);
}

/** Through the process's inspector: there is no other way from outside. Twice, since the first frees what finalizers hold. */
async function collectGarbage(inspector: string): Promise<void> {
  const socket = new WebSocket(inspector);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error(`Cannot reach the broker's inspector at ${inspector}`));
  });
  for (const id of [1, 2]) {
    const done = new Promise((resolve) => (socket.onmessage = resolve));
    socket.send(JSON.stringify({ id, method: "HeapProfiler.collectGarbage" }));
    await done;
  }
  socket.close();
}

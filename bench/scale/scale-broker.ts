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
  /** Watches how long its event loop is held, from now on. */
  watchEventLoop(): Promise<void>;
  /** The longest that it was held since, in milliseconds. */
  longestHoldMs(): Promise<number>;
}

/** Where the process keeps what watches its event loop. */
const delays = "globalThis.eventLoopDelays";

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
  const inspect = (method: string, params: object = {}) => ask(/ws:\/\/\S+/.exec(process.errors())?.[0] ?? "", method, params);
  return {
    url,
    pid: process.pid,
    startMs,
    async untilReady(agents) {
      while ((await readyAgents(url)) < agents) await delay(50);
      return performance.now() - begunMs;
    },
    async residentBytes() {
      // Twice: the first frees what finalizers hold.
      await inspect("HeapProfiler.collectGarbage");
      await inspect("HeapProfiler.collectGarbage");
      return residentBytes(process.pid);
    },
    async watchEventLoop() {
      await inspect("Runtime.evaluate", { expression: `${delays} = process.getBuiltinModule("node:perf_hooks").monitorEventLoopDelay({ resolution: 1 }); ${delays}.enable()` });
    },
    async longestHoldMs() {
      const { result } = (await inspect("Runtime.evaluate", { expression: `${delays}.max / 1e6` })) as { result: { value: number } };
      return result.value;
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

/** Asks the process through its inspector: there is no other way from outside. */
async function ask(address: string, method: string, params: object): Promise<unknown> {
  const socket = new WebSocket(address);
  const answered = new Promise<unknown>((resolve, reject) => {
    socket.onopen = () => socket.send(JSON.stringify({ id: 1, method, params }));
    socket.onmessage = ({ data }) => resolve((JSON.parse(String(data)) as { result: unknown }).result);
    socket.onerror = () => reject(new Error(`Cannot reach the broker's inspector at ${address}`));
  });
  return answered.finally(() => socket.close());
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A nats-server without accounts or storage on a free port of loopback, for references in benches. */
export interface PlainNats {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts one; resolves when it accepts connections. The executable is LONGSHORE_NATS_SERVER's, else the one on PATH. */
export async function startPlainNats(): Promise<PlainNats> {
  const child = spawn(process.env["LONGSHORE_NATS_SERVER"] ?? "nats-server", ["-a", "127.0.0.1", "-p", "-1"], { stdio: ["ignore", "ignore", "pipe"] });
  const exited = once(child, "exit");
  const lines = createInterface({ input: child.stderr });
  let url: string | undefined;
  for await (const line of lines) {
    url ??= /Listening for client connections on (127\.0\.0\.1:\d+)/.exec(line)?.[1];
    if (line.includes("Server is ready")) break;
  }
  if (url === undefined) throw new Error("Cannot start nats-server: it ended before it listened");
  child.stderr.resume();
  return {
    url: `nats://${url}`,
    async close() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

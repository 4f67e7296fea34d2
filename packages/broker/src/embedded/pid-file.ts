import { readFileSync, rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { LongshoreError } from "@longshore/protocol";
import { readJson, writeSecret } from "../identity/secret-file.ts";

const processSchema = z.object({ pid: z.number().int(), startTime: z.string() });
const pidFileSchema = z.object({ server: processSchema, owner: processSchema });
type ProcessIdentity = z.infer<typeof processSchema>;

const pollMs = 50;
const patienceMs = 5_000;

/** Notes which server runs on a data folder, and which process started it. */
export function writePidFile(file: string, serverPid: number): void {
  const server = identify(serverPid);
  const owner = identify(process.pid);
  if (server !== undefined && owner !== undefined) writeSecret(file, JSON.stringify({ server, owner }));
}

export function removePidFile(file: string): void {
  rmSync(file, { force: true });
}

/**
 * Ends the server that a killed owner left behind on this folder. Throws when the owner still runs: two servers must not share
 * one folder. A process is known by its id and start time, so that a reused id is never mistaken for it.
 */
export async function endLeftBehind(file: string): Promise<void> {
  const noted = pidFileSchema.safeParse(readJson(file)).data;
  if (noted === undefined || !isRunning(noted.server)) return;
  if (isRunning(noted.owner)) {
    throw new LongshoreError("bus_down", `Cannot start the bus: process ${noted.owner.pid} already runs one on this data folder (${file})`);
  }
  process.kill(noted.server.pid, "SIGTERM");
  for (let waitedMs = 0; isRunning(noted.server); waitedMs += pollMs) {
    if (waitedMs === patienceMs) process.kill(noted.server.pid, "SIGKILL");
    await delay(pollMs); // It is no child of ours: nothing tells of its end.
  }
}

/** The server that runs on this folder, as far as was noted; undefined: none. */
export function runningServer(file: string): number | undefined {
  const server = pidFileSchema.safeParse(readJson(file)).data?.server;
  return server !== undefined && isRunning(server) ? server.pid : undefined;
}

function isRunning(known: ProcessIdentity): boolean {
  return identify(known.pid)?.startTime === known.startTime;
}

/** Linux only; elsewhere nothing is noted and nothing is ended. */
function identify(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const startTime = fields[18];
    return startTime === undefined || state === "Z" ? undefined : { pid, startTime };
  } catch {
    return undefined;
  }
}

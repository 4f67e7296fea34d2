import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { LongshoreError } from "@longshore/protocol";

const run = promisify(execFile);

/** The oldest nats-server that has what Longshore builds on. */
const oldest = { major: 2, minor: 14 } as const;

/** Tells an executable's version, or throws saying what to install. */
export async function checkServerVersion(executable: string): Promise<string> {
  const { stdout } = await run(executable, ["--version"], { timeout: 10_000 }).catch((cause: unknown) => {
    throw new LongshoreError("bus_down", `Cannot run "${executable}": install nats-server ${oldest.major}.${oldest.minor} or newer, or set LONGSHORE_NATS_SERVER to its path`, { cause });
  });
  const [, version, major, minor] = /v?((\d+)\.(\d+)\.\S+)/.exec(stdout) ?? [];
  if (version !== undefined && isRecent(Number(major), Number(minor))) return version;
  throw new LongshoreError("bus_down", `Cannot use "${executable}": it is version ${version ?? "unknown"}; install nats-server ${oldest.major}.${oldest.minor} or newer, or set LONGSHORE_NATS_SERVER to its path`);
}

const isRecent = (major: number, minor: number) => major > oldest.major || (major === oldest.major && minor >= oldest.minor);

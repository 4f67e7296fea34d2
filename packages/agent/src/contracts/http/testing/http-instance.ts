import type { RunningInstance } from "../../contract.ts";
import { testRevision } from "../../../testing/revision.ts";
import { RecordedSuspension } from "../../../testing/recorded-suspension.ts";

/** An instance of the http contract whose program listens on that port of this machine. */
export function httpInstance(port: number, { ip = "127.0.0.1", pid = 0, startProbePath }: { readonly ip?: string; readonly pid?: number; readonly startProbePath?: string } = {}): RunningInstance {
  const revision = testRevision({ ...(startProbePath !== undefined && { startProbePath }) });
  return { instanceId: "instance-1", revision, address: { ip, gateway: "127.0.0.1", pid }, plan: { mode: "become", env: [], port }, streams: undefined, exited: new Promise(() => undefined), suspension: new RecordedSuspension() };
}

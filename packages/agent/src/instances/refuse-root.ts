import { readFile } from "node:fs/promises";
import { LongshoreError, type Revision } from "@longshore/protocol";
import type { ContainerAddress } from "../engine/engine.ts";

/**
 * Throws `image_runs_as_root` when a container of profile strict has root as its user: a name says nothing before the image's own
 * `/etc/passwd` has been read, which the engine does at the start. Passes where this process cannot see the container's.
 */
export async function refuseRoot({ functionName, spec }: Revision, { pid }: ContainerAddress): Promise<void> {
  if (spec.profile !== "strict" || pid === 0) return;
  const [status, map] = await Promise.all(["status", "uid_map"].map((name) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "")));
  if (!isRoot(status ?? "", map ?? "")) return;
  throw new LongshoreError("image_runs_as_root", `Cannot start instance of "${functionName}" under profile "strict": its image's user is root by the image's own /etc/passwd; give it another USER`, { phase: "startup" });
}

/** By a process's `status` and `uid_map` as the host sees them: whether its effective user is 0 in its own user namespace. */
export function isRoot(status: string, map: string): boolean {
  const effective = /^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1];
  if (effective === undefined) return false;
  const rows = map.trim().split("\n").map((row) => row.trim().split(/\s+/).map(Number));
  const root = rows.find(([inside]) => inside === 0)?.[1] ?? 0;
  return Number(effective) === root;
}

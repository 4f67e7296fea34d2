import { readFile } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { freezeFiles } from "../../packages/agent/src/engine/container-freezer.ts";
import type { ContainerId } from "../../packages/agent/src/engine/engine.ts";
import { docker } from "./agent-engine.ts";

/** Resolves once the kernel has stopped every process of one of a revision's containers. */
export async function untilFrozen(revisionId: string): Promise<void> {
  const listed = await docker.listContainers({ filters: { label: [`longshore.revision=${revisionId}`] } });
  const all = await Promise.all(listed.map(({ Id }) => filesOf(Id)));
  for (;;) {
    for (const { state, isFrozen } of all) if (isFrozen.test(await readFile(state, "utf8"))) return;
    await setImmediate();
  }
}

async function filesOf(containerId: string) {
  const { State } = await docker.getContainer(containerId).inspect();
  const files = freezeFiles(await readFile(`/proc/${State.Pid}/cgroup`, "utf8"), containerId as ContainerId);
  if (files === undefined) throw new Error(`Container ${containerId} has no control group of its own`);
  return files;
}

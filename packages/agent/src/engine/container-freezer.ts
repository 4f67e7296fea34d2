import { writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { type ContainerId, type Engine, EngineError } from "./engine.ts";

/** Stops every process of a container where it stands; both are no error when it is so already, and reject with an EngineError. */
export interface Suspension {
  pause(): Promise<void>;
  resume(): Promise<void>;
}

/** Where the kernel stops and continues all processes of a control group: version 1 has words for it, version 2 digits. */
export interface FreezeFiles {
  readonly order: string;
  readonly frozen: string;
  readonly thawed: string;
  /** Says how far it is, and how that reads once all are stopped. */
  readonly state: string;
  readonly isFrozen: RegExp;
}

/** How often, and for how long, it is asked whether all have stopped: a process in the kernel's midst is stopped as it leaves. */
const askEveryMs = 2;
const askTimes = 100;

/** The files for a process, from its `/proc/<pid>/cgroup`; undefined where its group is not certainly that container's own. */
export function freezeFiles(cgroups: string, id: ContainerId): FreezeFiles | undefined {
  const lines = cgroups.split("\n").map((line) => line.split(":"));
  const freezer = lines.find(([, controllers]) => controllers?.split(",").includes("freezer") === true);
  const path = (freezer ?? lines.find(([number]) => number === "0"))?.slice(2).join(":");
  if (path?.includes(id) !== true) return undefined;
  if (freezer === undefined) return { order: `/sys/fs/cgroup${path}/cgroup.freeze`, frozen: "1", thawed: "0", state: `/sys/fs/cgroup${path}/cgroup.events`, isFrozen: /^frozen 1$/m };
  const file = `/sys/fs/cgroup/freezer${path}/freezer.state`;
  return { order: file, frozen: "FROZEN", thawed: "THAWED", state: file, isFrozen: /^FROZEN$/m };
}

/**
 * Pauses a container by its control group, as an engine does, but without the 40 ms that an engine and its runtime take for the write
 * of a word; by the engine where the group cannot be written. An engine shows such a container as running, and may remove it:
 * its runtime thaws what it kills.
 */
export function createSuspension(engine: Pick<Engine, "pauseContainer" | "resumeContainer">, id: ContainerId, pid: number): Suspension {
  let files: FreezeFiles | undefined;
  return {
    async pause() {
      files ??= freezeFiles(await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => ""), id);
      if (files !== undefined && (await freeze(files))) return;
      files = undefined;
      await engine.pauseContainer(id);
    },
    async resume() {
      if (files === undefined) return engine.resumeContainer(id);
      try {
        writeFileSync(files.order, files.thawed); // A caller waits; a thread's round trip would take longer than the write.
      } catch (cause) {
        throw new EngineError("not_found", 404, `Cannot unpause container "${id}": its control group is gone`, cause);
      }
    },
  };
}

/** False where it cannot be done, and has been undone. */
async function freeze(files: FreezeFiles): Promise<boolean> {
  try {
    await writeFile(files.order, files.frozen);
    for (let asked = 0; asked < askTimes; asked += 1) {
      if (files.isFrozen.test(await readFile(files.state, "utf8"))) return true;
      await setTimeout(askEveryMs);
    }
    await writeFile(files.order, files.thawed);
  } catch {
    // Not mounted, not ours to write, or gone: the engine says which.
  }
  return false;
}

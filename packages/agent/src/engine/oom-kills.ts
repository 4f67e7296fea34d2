import { readFile } from "node:fs/promises";

/**
 * How many processes the kernel has killed for memory in the container of that process (as the host sees it), by the kernel's own
 * count: the engine's event of it comes later. Undefined where it cannot be read: the process is gone or not visible.
 */
export async function readOomKills(pid: number): Promise<number | undefined> {
  if (pid === 0) return undefined;
  try {
    const file = counterFile(await readFile(`/proc/${pid}/cgroup`, "utf8"));
    return file === undefined ? undefined : parseOomKills(await readFile(file, "utf8"));
  } catch {
    return undefined;
  }
}

/** The file with the count for a process, from its `/proc/<pid>/cgroup`: version 1 where the memory controller has a hierarchy of its own, else version 2. */
export function counterFile(cgroups: string): string | undefined {
  const lines = cgroups.split("\n").map((line) => line.split(":"));
  const memory = lines.find(([, controllers]) => controllers?.split(",").includes("memory") === true);
  if (memory !== undefined) return `/sys/fs/cgroup/memory${memory.slice(2).join(":")}/memory.oom_control`;
  const unified = lines.find(([id]) => id === "0");
  return unified === undefined ? undefined : `/sys/fs/cgroup${unified.slice(2).join(":")}/memory.events`;
}

/** The count in such a file. */
export function parseOomKills(text: string): number | undefined {
  const count = /^oom_kill (\d+)$/m.exec(text)?.[1];
  return count === undefined ? undefined : Number(count);
}

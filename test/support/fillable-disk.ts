import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { docker } from "./agent-engine.ts";

/** The disk that the engine keeps images on, with a file that leaves less of it free than an agent is to keep free. Needs root. */
export interface FillableDisk {
  /** For an agent's `diskMinFreeBytes`. */
  readonly minFreeBytes: number;
  fill(): void;
  /** Idempotent. */
  empty(): void;
}

/** Looks at what is free now. An agent's pressure ends a tenth above where it begins, and others use the disk too: hence the shares. */
export async function createFillableDisk(): Promise<FillableDisk> {
  const { DockerRootDir: folder } = (await docker.info()) as { DockerRootDir: string };
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  const file = join(folder, `longshore-filling-${randomBytes(4).toString("hex")}`);
  return {
    minFreeBytes: Math.round(freeBytes * 0.88),
    fill: () => void execFileSync("fallocate", ["--length", String(Math.round(freeBytes * 0.16)), file]),
    empty: () => rmSync(file, { force: true }),
  };
}

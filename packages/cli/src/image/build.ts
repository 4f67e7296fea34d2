import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LongshoreError } from "@longshore/protocol";
import { UsageError } from "../command-line/usage-error.ts";

/** What a build needs: a folder with a Dockerfile, and a name for the image. */
export interface BuildRequest {
  readonly folder: string;
  readonly functionName: string;
  /** `NAME=value`, for the Dockerfile's `ARG`. */
  readonly buildArgs: readonly string[];
  readonly signal: AbortSignal;
  /** Told what docker says, in place of our stderr. */
  readonly onOutput?: (text: string) => void;
}

/** The registry part of images that were built here. It names no registry, so that nobody can serve such an image from outside. */
export const localRegistry = "longshore.local";

/**
 * Builds a folder with the `docker` command (its builder knows the whole of Dockerfiles, ignore files and registry logins), its progress
 * on our stderr, and returns the image's reference, which names the content: `longshore.local/resize:1f3c…`. Such an image exists in that
 * one engine only. Throws UsageError when the build fails.
 */
export async function buildImage({ folder, functionName, buildArgs, signal, onOutput }: BuildRequest): Promise<string> {
  const work = mkdtempSync(join(tmpdir(), "longshore-build-"));
  try {
    const idFile = join(work, "id");
    await runDocker(["build", "--force-rm", "--iidfile", idFile, ...buildArgs.flatMap((text) => ["--build-arg", text]), folder], `Cannot build ${folder}`, signal, onOutput);
    const imageId = readFileSync(idFile, "utf8").trim();
    const reference = `${localRegistry}/${functionName}:${imageId.replace(/^sha256:/, "").slice(0, 12)}`;
    await runDocker(["tag", imageId, reference], `Cannot tag ${imageId}`, signal, onOutput);
    return reference;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Takes the names of images that were built here away; those that are in use stay. Returns those that stay. */
export async function removeImages(references: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
  const kept: string[] = [];
  for (const reference of references) await runDocker(["image", "rm", reference], `Cannot remove ${reference}`, signal, () => undefined).catch(() => kept.push(reference));
  return kept;
}

function runDocker(args: readonly string[], action: string, signal: AbortSignal, onOutput: BuildRequest["onOutput"]): Promise<void> {
  return new Promise((resolve, reject) => {
    // Our stdout is for the answer: what docker says on its own goes to stderr.
    const output = onOutput === undefined ? 2 : "pipe";
    const child = spawn("docker", args, { signal, stdio: ["ignore", output, output] });
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", (text: string) => onOutput?.(text));
    child.on("error", (cause: NodeJS.ErrnoException) => {
      if (cause.code === "ENOENT") reject(new UsageError(`${action}: there is no docker command here`, "install it, or build elsewhere and deploy the image with --image"));
      else reject(signal.aborted ? new LongshoreError("caller_gone", `${action}: interrupted`) : cause);
    });
    child.on("close", (code, killedBy) => {
      if (code === 0) resolve();
      else reject(new UsageError(`${action}: docker ${args[0]} ended with ${killedBy ?? `exit code ${code}`}`, "what it said stands above"));
    });
  });
}

import { readdir } from "node:fs/promises";
import Docker from "dockerode";
import { type FileTree, packTree } from "./file-tree.ts";

/** The images of the engine on this machine: found, imported and built, never pulled or pushed. */
export interface EngineImages {
  /** True when the engine has an image of this name. */
  has(reference: string): Promise<boolean>;
  /** Makes an image of one layer from a tree; `changes` are Dockerfile instructions for its config. */
  importTree(reference: string, tree: FileTree, changes: readonly string[]): Promise<void>;
  /** Builds a folder with a Dockerfile. Throws an ImageBuildError with what the build printed. */
  build(reference: string, folder: string, options?: BuildOptions): Promise<void>;
}

export interface BuildOptions {
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** Called with each line that the build prints. */
  readonly onLine?: ((line: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A build ran and failed; `output` is the tail of what it printed. */
export class ImageBuildError extends Error {
  override readonly name = "ImageBuildError";
  readonly output: string;

  constructor(folder: string, reason: string, output: string) {
    super(`Cannot build ${JSON.stringify(folder)}: ${reason}`);
    this.output = output;
  }
}

/** Talks to the engine at `DOCKER_HOST`, else at its usual socket. */
export function createEngineImages(docker: Docker = new Docker()): EngineImages {
  return {
    async has(reference) {
      try {
        await docker.getImage(reference).inspect();
        return true;
      } catch (error) {
        if ((error as { statusCode?: number }).statusCode === 404) return false;
        throw error;
      }
    },

    async importTree(reference, tree, changes) {
      const { repository, tag } = splitTag(reference);
      const stream = await docker.importImage(packTree(tree), { repo: repository, tag, changes: [...changes] });
      await follow(stream, () => {});
    },

    async build(reference, folder, options = {}) {
      const lines: string[] = [];
      const stream = await docker.buildImage(
        { context: folder, src: await readdir(folder) },
        { t: reference, rm: true, forcerm: true, buildargs: { ...options.buildArgs }, ...(options.signal && { abortSignal: options.signal }) },
      );
      try {
        await follow(stream, (line) => {
          lines.push(line);
          options.onLine?.(line);
        });
      } catch (error) {
        throw new ImageBuildError(folder, error instanceof Error ? error.message : String(error), lines.slice(-20).join("\n"));
      }
    },
  };
}

/** One object of the engine's stream of progress. An error comes inside it, with status 200. */
interface ProgressEvent {
  readonly stream?: string;
  readonly error?: string;
}

/** Reads progress to its end; throws what the engine says went wrong. */
async function follow(stream: NodeJS.ReadableStream, onLine: (line: string) => void): Promise<void> {
  let error: string | undefined;
  for await (const text of linesOf(stream)) {
    const event = JSON.parse(text) as ProgressEvent;
    error ??= event.error;
    for (const line of (event.stream ?? "").split("\n")) if (line.trim() !== "") onLine(line.trimEnd());
  }
  if (error !== undefined) throw new Error(error);
}

async function* linesOf(stream: NodeJS.ReadableStream): AsyncGenerator<string> {
  let pending = "";
  stream.setEncoding("utf8");
  for await (const chunk of stream) {
    const lines = (pending + String(chunk)).split("\n");
    pending = lines.pop() ?? "";
    yield* lines.filter((line) => line.trim() !== "");
  }
  if (pending.trim() !== "") yield pending;
}

function splitTag(reference: string): { repository: string; tag: string } {
  const colon = reference.lastIndexOf(":");
  return { repository: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}

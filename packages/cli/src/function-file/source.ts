import { existsSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { UsageError } from "../command-line/usage-error.ts";
import { type Draft, overlay } from "./draft.ts";
import { readFunctionFile } from "./yaml-file.ts";

/** What is to be deployed, and the folder to build its image from where it names none. */
export interface DeploySource {
  readonly draft: Draft;
  readonly buildFolder: string | undefined;
}

export interface DeployRequest {
  /** A function's name, or a folder. */
  readonly operand: string | undefined;
  /** `-f` */
  readonly file: string | undefined;
  readonly flags: Draft;
  readonly environment: NodeJS.ProcessEnv;
}

const fileNames = ["longshore.yaml", "longshore.yml", "longshore.json"];

/**
 * Puts a function together from what was given: `NAME --image REF`, `-f FILE`, or `FOLDER` with a Dockerfile, a function file, or both.
 * Flags win over the file. Throws UsageError when there is nothing to run.
 */
export function findSource({ operand, file, flags, environment }: DeployRequest): DeploySource {
  const folder = operand !== undefined && file === undefined && flags.values.image === undefined ? readFolder(operand) : undefined;
  const path = file ?? (folder === undefined ? undefined : fileNames.map((name) => join(folder, name)).find((candidate) => existsSync(candidate)));
  if (file !== undefined && !existsSync(file)) throw new UsageError(`Cannot read ${file}: there is no such file`);
  const written = path === undefined ? flags : overlay(readFunctionFile(path, environment), flags);
  const name = folder === undefined && operand !== undefined ? operand : (written.values.name ?? nameOfFolder(folder));
  const draft = name === undefined ? written : overlay(written, { values: { name }, locate: () => (operand === undefined ? "name" : "NAME") });
  const buildFolder = draft.values.image === undefined ? findDockerfile(folder ?? (path === undefined ? undefined : dirname(path))) : undefined;
  return { draft, buildFolder };
}

function readFolder(operand: string): string {
  if (existsSync(operand) && statSync(operand).isDirectory()) return operand;
  throw new UsageError(
    `Cannot deploy ${JSON.stringify(operand)}: it is no folder, and no image is named`,
    `longshore deploy ${/^[a-z0-9-]+$/.test(operand) ? operand : "NAME"} --image REF, or longshore deploy FOLDER with a Dockerfile in it`,
  );
}

function findDockerfile(folder: string | undefined): string {
  if (folder === undefined) throw new UsageError("Cannot deploy: no image is named", "longshore deploy NAME --image REF, or longshore deploy FOLDER with a Dockerfile in it");
  if (existsSync(join(folder, "Dockerfile"))) return folder;
  throw new UsageError(`Cannot deploy ${folder}: no image is named, and there is no Dockerfile to build one from`);
}

/** A folder's own name as a function's: `My Function` is `my-function`. */
function nameOfFolder(folder: string | undefined): string | undefined {
  if (folder === undefined) return undefined;
  return basename(resolve(folder)).toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 50);
}

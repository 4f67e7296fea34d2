import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./setup/workspace.mjs";

/** The tools that the workspace brings, and the package of each. */
const packageOf = /** @type {Record<string, string>} */ ({ eslint: "eslint", tsc: "typescript", vitest: "vitest" });

/**
 * The script of a tool of the workspace, to be run under Node 24; undefined when the workspace has no such tool.
 * @param {string} tool
 */
export function findWorkspaceTool(tool) {
  const name = packageOf[tool];
  if (name === undefined) return undefined;
  const folder = join(root, "node_modules", name);
  /** @type {{ bin: string | Record<string, string> }} */
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return join(folder, typeof bin === "string" ? bin : (bin[tool] ?? ""));
}

/** The names that {@link findWorkspaceTool} knows. */
export const workspaceTools = Object.keys(packageOf);

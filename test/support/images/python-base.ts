import { execFileSync } from "node:child_process";
import { globSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { type EngineImages, type FileTree, fingerprintTree, imagePath, skeleton, treeOfLibraries } from "longshore/local-images";

/** Makes sure that the engine has an image with this machine's own Python 3 and its library; returns its reference. */
export async function ensurePythonBase(images: EngineImages): Promise<string> {
  const tree = await pythonTree("/usr/bin/python3");
  const reference = `longshore-test/python-base:${await fingerprintTree(tree)}`;
  if (!(await images.has(reference))) await images.importTree(reference, tree, [`ENV PATH=${imagePath}`]);
  return reference;
}

/** Parts of the library that no function needs: its own tests, windows, installers. */
const leftOut = /\/(test|tests|idlelib|tkinter|turtledemo|ensurepip|lib2to3|__pycache__|config-[^/]*)\//;

async function pythonTree(python: string): Promise<FileTree> {
  const library = execFileSync(python, ["-c", "import os; print(os.path.dirname(os.__file__))"], { encoding: "utf8" }).trim();
  const kept = globSync("**/*.{py,so}", { cwd: library }).map((name) => join(library, name)).filter((path) => !leftOut.test(path));
  return {
    ...skeleton,
    ...(await treeOfLibraries([python, ...kept.filter((path) => path.endsWith(".so"))])),
    ...Object.fromEntries(kept.map((path) => [path, { source: path }])),
    [python]: { source: realpathSync(python), mode: 0o755 },
  };
}

import { readdirSync, realpathSync } from "node:fs";
import { dirname, join, posix, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { FileEntry, FileTree } from "longshore/local-images";
import { treeOfFolder } from "./folder-tree.ts";

const ownModules = fileURLToPath(new URL("../../node_modules", import.meta.url));
const allModules = fileURLToPath(new URL("../../../node_modules", import.meta.url));

/** What no program needs: declarations, maps, texts. */
const isNeeded = (path: string) => !/\.(d\.[cm]?ts|map|md|markdown)$/i.test(path);

/**
 * Packages of these tests as npm's registry has them, with all that they depend on, as `node_modules` in a folder: the same store and
 * links as the installer made here.
 */
export function treeOfPackages(names: readonly string[], folder: string): FileTree {
  const modules = posix.join(folder, "node_modules");
  const tree: Record<string, FileEntry> = {};
  const packages = new Set(names.map((name) => realpathSync(join(ownModules, name))));
  for (const name of names) tree[posix.join(modules, name)] = linkTo(posix.join(modules, name), placeOf(realpathSync(join(ownModules, name)), modules));
  for (const source of packages) {
    Object.assign(tree, treeOfFolder(source, placeOf(source, modules), (path) => isNeeded(path) && !path.startsWith(`node_modules${sep}`)));
    for (const [name, dependency] of dependenciesOf(source)) {
      packages.add(dependency);
      const place = posix.join(placeOf(storeOf(source), modules), name);
      if (dependency !== source) tree[place] = linkTo(place, placeOf(dependency, modules));
    }
  }
  return tree;
}

/** In the installer's store a package and all that it depends on lie side by side. */
function* dependenciesOf(source: string): Generator<[name: string, realPath: string]> {
  const store = storeOf(source);
  for (const entry of readdirSync(store)) {
    const names = entry.startsWith("@") ? readdirSync(join(store, entry)).map((name) => `${entry}/${name}`) : entry === ".bin" ? [] : [entry];
    for (const name of names) yield [name, realpathSync(join(store, name))];
  }
}

/** The `node_modules` folder that a package lies in. */
function storeOf(source: string): string {
  let folder = dirname(source);
  while (!folder.endsWith("node_modules")) folder = dirname(folder);
  return folder;
}

const placeOf = (path: string, modules: string) => posix.join(modules, relative(allModules, path));
const linkTo = (from: string, to: string): FileEntry => ({ link: posix.relative(posix.dirname(from), to) });

/** Images made of what this machine has. Not part of the published package: for `longshore up --examples` and for tests. */
export { skeleton } from "./base-tree.ts";
export { type BuildOptions, createEngineImages, type EngineImages, ImageBuildError } from "./engine-images.ts";
export { type FileEntry, type FileTree, fingerprintTree, packTree } from "./file-tree.ts";
export { findProgram, treeOfLibraries } from "./host-program.ts";
export { ensureLocalBase, imagePath } from "./local-base.ts";

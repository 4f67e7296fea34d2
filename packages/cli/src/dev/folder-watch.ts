import { watch } from "node:fs";

/** Tells of what is saved in a folder. */
export interface FolderWatch {
  readonly close: () => void;
}

/** Watches a folder and all below; `onChange` has the path, relative and with `/`. Throws where it cannot be watched. */
export type WatchFolder = (folder: string, told: { readonly onChange: (path: string) => void; readonly onError: (error: unknown) => void }) => FolderWatch;

/** The file system's own word. */
export const watchFolder: WatchFolder = (folder, { onChange, onError }) => {
  const watcher = watch(folder, { recursive: true });
  // Without a name something in it changed.
  watcher.on("change", (_kind, name: string | Buffer | null) => onChange(String(name ?? "").replaceAll("\\", "/")));
  watcher.on("error", onError);
  return { close: () => watcher.close() };
};

import type { PullProgress } from "@longshore/protocol";

/** A line of an engine's pull stream. */
export interface PullLine {
  readonly id?: string;
  readonly status?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly error?: string;
  readonly errorDetail?: { readonly code?: number; readonly message?: string };
}

export interface PullCounter {
  /** Takes one line in; true when the sums changed. */
  add(line: PullLine): boolean;
  readonly progress: PullProgress;
}

interface Layer {
  bytes: number;
  bytesDone: number;
  isDone: boolean;
}

/** Sums an engine's lines about single layers up to the progress of the whole. */
export function createPullCounter(): PullCounter {
  const layers = new Map<string, Layer>();
  let progress = sum(layers);
  return {
    add(line) {
      noteLine(layers, line);
      const next = sum(layers);
      const changed = next.layers !== progress.layers || next.layersDone !== progress.layersDone || next.bytesDone !== progress.bytesDone;
      progress = next;
      return changed;
    },
    get progress() {
      return progress;
    },
  };
}

function noteLine(layers: Map<string, Layer>, { id, status, progressDetail }: PullLine): void {
  if (id === undefined || status === undefined) return;
  // Lines about the whole image carry its tag as id; only these two name a layer for the first time.
  if (!layers.has(id) && (status === "Pulling fs layer" || status === "Already exists")) layers.set(id, { bytes: 0, bytesDone: 0, isDone: false });
  const layer = layers.get(id);
  if (layer === undefined) return;
  if (status === "Downloading") {
    layer.bytes = progressDetail?.total ?? layer.bytes;
    layer.bytesDone = progressDetail?.current ?? layer.bytesDone;
  } else if (status === "Download complete") {
    layer.bytesDone = layer.bytes;
  } else if (status === "Pull complete" || status === "Already exists") {
    layer.bytesDone = layer.bytes;
    layer.isDone = true;
  }
}

function sum(layers: Map<string, Layer>): PullProgress {
  const total = { layers: layers.size, layersDone: 0, bytes: 0, bytesDone: 0 };
  for (const layer of layers.values()) {
    total.layersDone += layer.isDone ? 1 : 0;
    total.bytes += layer.bytes;
    total.bytesDone += layer.bytesDone;
  }
  return total;
}

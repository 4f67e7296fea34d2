import { closeSync, openSync, readSync } from "node:fs";

/**
 * Reads for how long, ever since the host began, something waited for a processor, microseconds: the kernel's pressure stall information. What
 * it returns gives undefined where the kernel keeps none.
 */
export function readProcessorPressure(file = "/proc/pressure/cpu"): () => number | undefined {
  const buffer = Buffer.alloc(256);
  return () => {
    try {
      const descriptor = openSync(file, "r");
      try {
        const text = buffer.toString("latin1", 0, readSync(descriptor, buffer, 0, buffer.length, 0));
        const total = /^some .*\btotal=(\d+)/m.exec(text)?.[1];
        return total === undefined ? undefined : Number(total);
      } finally {
        closeSync(descriptor);
      }
    } catch {
      return undefined; // An older kernel, or one that was told to keep none.
    }
  };
}

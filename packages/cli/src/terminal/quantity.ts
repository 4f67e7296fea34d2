const sizeUnits = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Bytes for people: `512B`, `256MiB`, `1.5GiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < sizeUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${trim(value)}${sizeUnits[unit] ?? ""}`;
}

/** A length of time for people: `0.4ms`, `38ms`, `1.2s`, `5m`, `1h30m`. */
export function formatDuration(ms: number): string {
  if (ms < 10) return `${Number(ms.toFixed(1))}ms`;
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 60_000) return `${trim(ms / 1000)}s`;
  const minutes = Math.round(ms / 60_000);
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return `${hours > 0 ? `${hours}h` : ""}${rest > 0 ? `${rest}m` : ""}`;
}

/** How long ago, in the largest whole unit: `12s`, `3m`, `4h`, `2d`. A clock that is ahead gives `0s`. */
export function formatAge(sinceIso: string, nowMs: number): string {
  const seconds = Math.max(0, Math.floor((nowMs - Date.parse(sinceIso)) / 1000));
  if (!Number.isFinite(seconds)) return "-";
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

function trim(value: number): string {
  return String(Number(value.toFixed(value < 100 && !Number.isInteger(value) ? 1 : 0)));
}

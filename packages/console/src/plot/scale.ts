/** Up to `count` round numbers from 0 to at least `max`, for an axis. */
export function niceTicks(max: number, count = 4): readonly number[] {
  if (!(max > 0)) return [0, 1];
  const rough = max / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5].find((each) => each * power >= rough) ?? 10) * power;
  return Array.from({ length: Math.ceil(max / step - 1e-9) + 1 }, (_, at) => Number((at * step).toPrecision(12)));
}

/** Powers of ten, two at least, that hold what is above 0 of the values between them: for durations, of which a median and the slowest lie far apart. */
export function decades(values: readonly number[]): readonly number[] {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) return [1, 10];
  const from = Math.floor(Math.log10(Math.min(...positive)));
  const until = Math.max(from + 1, Math.ceil(Math.log10(Math.max(...positive))));
  return Array.from({ length: until - from + 1 }, (_, at) => Number((10 ** (from + at)).toPrecision(3)));
}

/** A column of a stacked plot: where each of its parts begins and ends, in the plot's own unit. */
export interface Column {
  readonly atMs: number;
  readonly parts: readonly { readonly name: string; readonly from: number; readonly until: number }[];
}

/** Stacks values by name, in the order of the names; `scale` is what each is multiplied with. */
export function stack(points: readonly { readonly atMs: number; readonly values: Readonly<Partial<Record<string, number>>> }[], names: readonly string[], scale: number): readonly Column[] {
  return points.map(({ atMs, values }) => {
    let from = 0;
    const parts = names.flatMap((name) => {
      const value = (values[name] ?? 0) * scale;
      if (value === 0) return [];
      const part = { name, from, until: from + value };
      from = part.until;
      return [part];
    });
    return { atMs, parts };
  });
}

/** A line's path over points in order of time; it is broken where more than `gapMs` lie between two. */
export function linePath(points: readonly { readonly atMs: number; readonly value: number | undefined }[], x: (atMs: number) => number, y: (value: number) => number, gapMs: number): string {
  let path = "";
  let lastMs = -Infinity;
  for (const { atMs, value } of points) {
    if (value === undefined) continue;
    path += `${atMs - lastMs > gapMs ? "M" : "L"}${round(x(atMs))} ${round(y(value))}`;
    lastMs = atMs;
  }
  return path;
}

const round = (value: number): string => String(Math.round(value * 10) / 10);

/** The values of several sources as they come, each source taken no faster than the whole; ends with the last of them, or the first error. */
export async function* mergeLines<T>(sources: readonly AsyncIterable<T>[]): AsyncGenerator<T, void> {
  const waiting: { readonly value: T; readonly taken: () => void }[] = [];
  let open = sources.length;
  let failure: { readonly error: unknown } | undefined;
  let isLeft = false;
  let wake: () => void = () => undefined;
  const pump = async (source: AsyncIterable<T>) => {
    try {
      for await (const value of source) {
        if (isLeft) return;
        await new Promise<void>((taken) => {
          waiting.push({ value, taken });
          wake();
        });
      }
    } catch (error) {
      failure ??= { error };
    } finally {
      open -= 1;
      wake();
    }
  };
  for (const source of sources) void pump(source);
  try {
    for (;;) {
      const next = waiting.shift();
      if (next !== undefined) {
        yield next.value;
        next.taken();
      } else if (failure !== undefined) throw failure.error;
      else if (open === 0) return;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    isLeft = true;
    for (const { taken } of waiting) taken();
  }
}

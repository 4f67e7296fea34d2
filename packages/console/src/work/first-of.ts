/** The first so many of a listing that is asked for page by page, and whether there are more. */
export async function firstOf<T>(items: AsyncIterable<T>, most: number): Promise<{ readonly items: readonly T[]; readonly hasMore: boolean }> {
  const found: T[] = [];
  for await (const item of items) {
    if (found.length === most) return { items: found, hasMore: true };
    found.push(item);
  }
  return { items: found, hasMore: false };
}

/** A listing's items one after another: each page is asked for when the one before it has been taken, by its `next`, under that name. */
export async function* pages<Page extends { readonly next?: string | number | undefined }, Item>(path: string, filter: Readonly<Record<string, string | undefined>>, read: (path: string) => Promise<Page>, itemsOf: (page: Page) => readonly Item[], cursor: "after" | "before" = "after"): AsyncGenerator<Item, void> {
  for (let place: string | undefined; ; ) {
    const page = await read(withQuery(path, { ...filter, ...(place !== undefined && { [cursor]: place }) }));
    yield* itemsOf(page);
    if (page.next === undefined) return;
    place = String(page.next);
  }
}

/** A path with what is given of a query. */
export function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`;
}

/** All of them at once. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

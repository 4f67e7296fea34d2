/** A listing's items one after another: each page is asked for when the one before it has been taken. */
export async function* pages<Page extends { readonly next?: string | number | undefined }, Item>(path: string, filter: Readonly<Record<string, string | undefined>>, read: (path: string) => Promise<Page>, itemsOf: (page: Page) => readonly Item[]): AsyncGenerator<Item, void> {
  for (let after: string | undefined; ; ) {
    const given = Object.entries({ ...filter, after }).filter((pair): pair is [string, string] => pair[1] !== undefined);
    const page = await read(given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`);
    yield* itemsOf(page);
    if (page.next === undefined) return;
    after = String(page.next);
  }
}

/** All of them at once. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

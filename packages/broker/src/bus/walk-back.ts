/** What a walk asks of one subject of a stream. */
export interface WalkedSubject<Item extends { readonly sequence: number }> {
  /** The first message of that sequence or later, or stored at that instant or later, and how many follow it; undefined: there is none. */
  first(from: number | string): Promise<{ readonly sequence: number; readonly following: number } | undefined>;
  /** The sequence of the last message; undefined: there is none. */
  last(): Promise<number | undefined>;
  /** At most so many from a sequence on, in their order; none: there are none. */
  read(from: number, most: number): Promise<readonly Item[]>;
}

/**
 * A subject's messages from its end backwards, newest first, about `atOnce` in each chunk. A server only reads forwards: so a stretch of
 * sequences before what was read is measured (a count, no messages), made shorter or longer until it holds a chunk, and then read.
 *
 * Invariants: B1 what stands at or behind `end` has been handed out, or was not wanted; `end` only falls. B2 a stretch is read until its
 * end, whatever its count said: counts change while messages come and go. B3 no read asks for more than twice a chunk, however dense the stream.
 */
export async function* walkBack<Item extends { readonly sequence: number }>(subject: WalkedSubject<Item>, { before, atOnce }: { readonly before?: string | undefined; readonly atOnce: number }): AsyncGenerator<readonly Item[], void> {
  const oldest = (await subject.first(1))?.sequence;
  if (oldest === undefined) return;
  let end = await endOf(subject, before);
  for (let span = atOnce; end > oldest; ) {
    const from = Math.max(oldest, end - span);
    const count = await countBetween(subject, from, end);
    if (count > 2 * atOnce && span > 1) {
      span = shorter(span, count, atOnce); // B3
      continue;
    }
    const items = count === 0 ? [] : await readBetween(subject, from, end, count);
    end = from; // B1
    if (items.length > 0) yield items.toReversed();
    if (2 * count < atOnce) span *= 4;
  }
}

async function endOf(subject: Pick<WalkedSubject<never>, "first" | "last">, before: string | undefined): Promise<number> {
  const behind = before === undefined ? undefined : await subject.first(before);
  return behind?.sequence ?? ((await subject.last()) ?? 0) + 1;
}

async function countBetween(subject: Pick<WalkedSubject<never>, "first">, from: number, end: number): Promise<number> {
  const [first, behind] = await Promise.all([subject.first(from), subject.first(end)]);
  if (first === undefined || first.sequence >= end) return 0;
  return Math.max(1, first.following + 1 - (behind === undefined ? 0 : behind.following + 1));
}

const shorter = (span: number, count: number, atOnce: number) => Math.max(1, Math.floor(Math.min(span / 2, (span * atOnce) / count)));

async function readBetween<Item extends { readonly sequence: number }>(subject: Pick<WalkedSubject<Item>, "read">, from: number, end: number, count: number): Promise<Item[]> {
  const items: Item[] = [];
  for (let next = from; next < end; ) {
    const read = await subject.read(next, Math.max(1, count - items.length)); // B2
    const last = read.at(-1);
    if (last === undefined) break;
    for (const item of read) if (item.sequence < end) items.push(item);
    next = last.sequence + 1;
  }
  return items;
}

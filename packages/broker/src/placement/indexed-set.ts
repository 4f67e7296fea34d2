/** A set that gives a random member in constant time. Order is arbitrary. */
export class IndexedSet<T> {
  readonly #members: T[] = [];
  readonly #positions = new Map<T, number>();

  get size(): number {
    return this.#members.length;
  }

  has(member: T): boolean {
    return this.#positions.has(member);
  }

  add(member: T): void {
    if (this.#positions.has(member)) return;
    this.#positions.set(member, this.#members.length);
    this.#members.push(member);
  }

  delete(member: T): void {
    const position = this.#positions.get(member);
    if (position === undefined) return;
    this.#positions.delete(member);
    const last = this.#members.pop();
    if (last === undefined || last === member) return;
    this.#members[position] = last;
    this.#positions.set(last, position);
  }

  /** The member at a position, 0 to size - 1; positions change with every deletion. */
  at(position: number): T | undefined {
    return this.#members[position];
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#members[Symbol.iterator]();
  }
}

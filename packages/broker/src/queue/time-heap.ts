/** Things by time, the earliest first. What has become pointless stays until its time comes: whoever takes it out must look. */
export class TimeHeap<T> {
  #nodes: { readonly atMs: number; readonly item: T }[] = [];

  /** When the earliest is; undefined when there is none. */
  get nextMs(): number | undefined {
    return this.#nodes[0]?.atMs;
  }

  /** What it holds, the pointless included. */
  get size(): number {
    return this.#nodes.length;
  }

  /** Drops what is not to be kept. */
  keep(isKept: (item: T) => boolean): void {
    // In order of time an array is a heap.
    this.#nodes = this.#nodes.filter(({ item }) => isKept(item)).sort((a, b) => a.atMs - b.atMs);
  }

  add(atMs: number, item: T): void {
    const nodes = this.#nodes;
    const node = { atMs, item };
    let at = nodes.push(node) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = nodes[above];
      if (parent === undefined || parent.atMs <= atMs) break;
      nodes[at] = parent;
      at = above;
    }
    nodes[at] = node;
  }

  /** Takes the earliest out if its time has come. */
  takeDue(nowMs: number): T | undefined {
    const nodes = this.#nodes;
    const first = nodes[0];
    if (first === undefined || first.atMs > nowMs) return undefined;
    const last = nodes.pop();
    if (last !== undefined && last !== first) this.#sink(last);
    return first.item;
  }

  #sink(node: { readonly atMs: number; readonly item: T }): void {
    const nodes = this.#nodes;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      const [left, right] = [nodes[below], nodes[below + 1]];
      if (left === undefined) break;
      if (right !== undefined && right.atMs < left.atMs) below += 1;
      const child = right !== undefined && right.atMs < left.atMs ? right : left;
      if (child.atMs >= node.atMs) break;
      nodes[at] = child;
      at = below;
    }
    nodes[at] = node;
  }
}

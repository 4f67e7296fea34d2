import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { visibleRows } from "./visible-rows.ts";

export interface VirtualListProps<T> {
  readonly items: readonly T[];
  readonly rowHeight: number;
  readonly label: string;
  readonly keyOf: (item: T) => string | number;
  readonly show: (item: T) => ComponentChildren;
  /** Stays at its end as it grows, unless somebody scrolled up. */
  readonly followsEnd?: boolean;
  readonly class?: string;
}

/** A list of any length: only the rows that are seen are made. It scrolls within itself, by keyboard too. */
export function VirtualList<T>({ items, rowHeight, label, keyOf, show, followsEnd = false, class: name = "" }: VirtualListProps<T>) {
  const frame = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ scrollTop: 0, height: 600 });
  const isAtEnd = useRef(true);
  const look = () => {
    const element = frame.current;
    if (element === null) return;
    isAtEnd.current = element.scrollTop + element.clientHeight >= element.scrollHeight - rowHeight;
    setSeen({ scrollTop: element.scrollTop, height: element.clientHeight });
  };
  useEffect(() => {
    const observer = new ResizeObserver(look);
    if (frame.current !== null) observer.observe(frame.current);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (followsEnd && isAtEnd.current && frame.current !== null) frame.current.scrollTop = frame.current.scrollHeight;
  }, [items, followsEnd]);
  const { from, until } = visibleRows({ ...seen, rowHeight, count: items.length });
  return (
    <div ref={frame} class={`virtual ${name}`} onScroll={look} tabIndex={0} role="list" aria-label={label} style={{ "--whole": `${items.length * rowHeight}px` }}>
      <div class="virtual-whole" style={{ height: `${items.length * rowHeight}px` }}>
        {items.slice(from, until).map((item, at) => (
          <div key={keyOf(item)} class="virtual-row" role="listitem" aria-posinset={from + at + 1} aria-setsize={items.length} style={{ top: `${(from + at) * rowHeight}px`, height: `${rowHeight}px` }}>{show(item)}</div>
        ))}
      </div>
    </div>
  );
}

/** Somewhere to jump to. */
export interface Target {
  readonly kind: "page" | "function" | "host" | "site" | "invocation";
  readonly name: string;
  readonly to: readonly string[];
  readonly query?: Readonly<Record<string, string>> | undefined;
}

const mostTargets = 12;
const idPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The places whose names hold what was typed, those that begin with it first; an invocation's id is a place by itself. */
export function findTargets(text: string, all: Iterable<Target>): readonly Target[] {
  const typed = text.trim().toLowerCase();
  if (idPattern.test(typed)) return [{ kind: "invocation", name: typed, to: ["invocations", typed] }];
  const [first, others]: [Target[], Target[]] = [[], []];
  for (const target of all) {
    const at = target.name.toLowerCase().indexOf(typed);
    if (at === 0) first.push(target);
    else if (at > 0) others.push(target);
    if (first.length === mostTargets) break;
  }
  return [...first, ...others].slice(0, mostTargets);
}

import type { Key } from "../terminal/keys.ts";

export const panes = ["hosts", "functions"] as const;
export type Pane = (typeof panes)[number];

/** By what each pane's rows stand in order; the first is the default. */
export const sorts = { hosts: ["name", "running", "memory", "state"], functions: ["rate", "name", "failed", "p99"] } as const;
export type HostSort = (typeof sorts)["hosts"][number];
export type FunctionSort = (typeof sorts)["functions"][number];

/** What of a fleet is looked at, and how. */
export interface View {
  readonly pane: Pane;
  /** The row that stands out in each pane; it may be beyond the end. */
  readonly cursor: Readonly<Record<Pane, number>>;
  readonly sort: { readonly hosts: HostSort; readonly functions: FunctionSort };
  readonly filter: string;
  readonly isTyping: boolean;
  readonly isPaused: boolean;
  readonly isHelp: boolean;
}

/** What is looked at first. */
export const firstView: View = {
  pane: "hosts", cursor: { hosts: 0, functions: 0 }, sort: { hosts: "name", functions: "rate" }, filter: "", isTyping: false, isPaused: false, isHelp: false,
};

/** Keys and what they do, for people. */
export const keyHelp: readonly (readonly [keys: string, meaning: string])[] = [
  ["↑ ↓ j k", "one row up, down; page up and page down, home and end"],
  ["tab", "to the other pane"],
  ["/", "show only what has a text in its name or site; enter keeps it, escape drops it"],
  ["s", "next order of the pane's rows"],
  ["p, space", "stand still, and go on"],
  ["?", "this help"],
  ["q, Ctrl-C", "end"],
];

const pageRows = 10;
const longestFilter = 60;

/** What is looked at after a key; undefined: the person wants to leave. `rows`: how many the pane has. */
export function press(view: View, key: Key, rows: Readonly<Record<Pane, number>>): View | undefined {
  if (key === "interrupt") return undefined;
  if (view.isTyping) return type(view, key);
  if (view.isHelp) return key === "escape" || typeof key === "object" ? { ...view, isHelp: false } : view;
  if (typeof key === "object") return pressCharacter(view, key.character, rows);
  if (key === "tab" || key === "back_tab" || key === "left" || key === "right") return { ...view, pane: view.pane === "hosts" ? "functions" : "hosts" };
  if (key === "escape") return { ...view, filter: "" };
  return move(view, stepOf(key), rows);
}

function pressCharacter(view: View, character: string, rows: Readonly<Record<Pane, number>>): View | undefined {
  switch (character) {
    case "q": return undefined;
    case "j": return move(view, 1, rows);
    case "k": return move(view, -1, rows);
    case "g": return move(view, -Infinity, rows);
    case "G": return move(view, Infinity, rows);
    case "/": return { ...view, isTyping: true };
    case "s": return nextSort(view);
    case "p": case " ": return { ...view, isPaused: !view.isPaused };
    case "?": case "h": return { ...view, isHelp: true };
    default: return view;
  }
}

function type(view: View, key: Key): View {
  if (key === "enter") return { ...view, isTyping: false };
  if (key === "escape") return { ...view, isTyping: false, filter: "" };
  if (key === "backspace") return { ...view, filter: view.filter.replace(/.$/su, "") };
  return typeof key === "object" && view.filter.length < longestFilter ? { ...view, filter: view.filter + key.character } : view;
}

function stepOf(key: Key): number {
  const steps: Readonly<Record<string, number>> = { up: -1, down: 1, page_up: -pageRows, page_down: pageRows, home: -Infinity, end: Infinity };
  return typeof key === "string" ? (steps[key] ?? 0) : 0;
}

function move(view: View, step: number, rows: Readonly<Record<Pane, number>>): View {
  const last = Math.max(0, rows[view.pane] - 1);
  const from = Math.min(view.cursor[view.pane], last);
  return { ...view, cursor: { ...view.cursor, [view.pane]: Math.max(0, Math.min(last, from + step)) } };
}

function nextSort(view: View): View {
  const next = <T extends string>(all: readonly T[], one: T): T => all[(all.indexOf(one) + 1) % all.length] ?? one;
  return view.pane === "hosts" ? { ...view, sort: { ...view.sort, hosts: next(sorts.hosts, view.sort.hosts) } } : { ...view, sort: { ...view.sort, functions: next(sorts.functions, view.sort.functions) } };
}

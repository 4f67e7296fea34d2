import { inert } from "./inert.ts";

/** Every place of the console, as it stands in the address: a link to it leads there again. */
export type Route =
  | { readonly page: "fleet"; readonly query: Query }
  | { readonly page: "host"; readonly agentId: string; readonly query: Query }
  | { readonly page: "functions"; readonly query: Query }
  | { readonly page: "deploy"; readonly query: Query }
  | { readonly page: "function"; readonly name: string; readonly tab: FunctionTab; readonly query: Query }
  | { readonly page: "invocations"; readonly query: Query }
  | { readonly page: "invocation"; readonly invocationId: string; readonly query: Query }
  | { readonly page: "work"; readonly tab: WorkTab; readonly query: Query }
  | { readonly page: "logs"; readonly query: Query }
  | { readonly page: "nowhere"; readonly query: Query };

export type Query = Readonly<Record<string, string>>;
export const functionTabs = ["overview", "try", "revisions", "logs"] as const;
export type FunctionTab = (typeof functionTabs)[number];
export const workTabs = ["queue", "dead-letters", "schedules"] as const;
export type WorkTab = (typeof workTabs)[number];

const root = "/console";

/** Reads an address's path and query; what leads nowhere is `nowhere`. */
export function readRoute(path: string, search: string): Route {
  const query: Query = Object.fromEntries(new URLSearchParams(search));
  const [first = "fleet", second, third, ...more] = partsOf(path);
  if (more.length > 0) return { page: "nowhere", query };
  if (first === "fleet" && third === undefined) return second === undefined ? { page: "fleet", query } : { page: "host", agentId: second, query };
  if (first === "functions") return second === undefined ? { page: "functions", query } : functionRoute(second, third, query);
  if (first === "invocations" && third === undefined) return second === undefined ? { page: "invocations", query } : { page: "invocation", invocationId: second, query };
  if (first === "work" && third === undefined) return workRoute(second, query);
  if ((first === "deploy" || first === "logs") && second === undefined) return { page: first, query };
  return { page: "nowhere", query };
}

function functionRoute(name: string, tab: string | undefined, query: Query): Route {
  const known = tab === undefined ? "overview" : functionTabs.find((each) => each === tab);
  return known === undefined ? { page: "nowhere", query } : { page: "function", name, tab: known, query };
}

function workRoute(tab: string | undefined, query: Query): Route {
  const known = tab === undefined ? "queue" : workTabs.find((each) => each === tab);
  return known === undefined ? { page: "nowhere", query } : { page: "work", tab: known, query };
}

/** The page's title at a path: the narrowest part first, as tabs cut it short. */
export function titleOf(path: string): string {
  const [part = "fleet", ...narrower] = partsOf(path);
  return [...narrower.toReversed(), `${part.charAt(0).toUpperCase()}${part.slice(1)}`, "Longshore"].map(inert).join(" · ");
}

function partsOf(path: string): string[] {
  const rest = path === "/" ? "" : path.startsWith(`${root}/`) || path === root ? path.slice(root.length) : "/nowhere";
  return rest.split("/").filter((part) => part !== "").map(decoded);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The address of a place below `/console`; of the query only what is not empty. */
export function addressOf(parts: readonly string[], query: Readonly<Record<string, string | undefined>> = {}): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== "");
  const search = given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`;
  return `${root}/${parts.map(encodeURIComponent).join("/")}${search}`;
}

/** Which entry of the menu a place belongs to. */
export function sectionOf({ page }: Route): "fleet" | "functions" | "invocations" | "work" | "logs" | undefined {
  switch (page) {
    case "fleet": case "host": return "fleet";
    case "functions": case "function": case "deploy": return "functions";
    case "invocations": case "invocation": return "invocations";
    case "work": return "work";
    case "logs": return "logs";
    case "nowhere": return undefined;
  }
}

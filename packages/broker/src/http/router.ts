import { LongshoreError, type Route, type RouteId, routes } from "@longshore/protocol";

/** A request's path and query, taken apart as they came: nothing decoded. */
export interface Target {
  /** `/v1/functions/resize` */
  readonly path: string;
  /** Without the question mark; empty when there is none. */
  readonly query: string;
}

/** A route that a request meant, with the parts of its path that `{…}` stood for. */
export interface Match {
  readonly route: Route & { readonly id: RouteId };
  readonly parameters: Readonly<Record<string, string>>;
}

/** Takes a request line's target apart; a proxy's absolute form loses scheme and authority. */
export function splitTarget(url: string): Target {
  const target = url.startsWith("/") ? url : url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i, "") || "/";
  const question = target.indexOf("?");
  return question === -1 ? { path: target, query: "" } : { path: target.slice(0, question), query: target.slice(question + 1) };
}

interface Pattern {
  readonly route: Match["route"];
  readonly parts: readonly string[];
}

const patterns: readonly Pattern[] = routes.map((route) => ({ route, parts: route.path.split("/") }));

/** Finds the route of a request, or throws `route_not_found`, or `method_not_allowed` with the methods that are. */
export function matchRoute(method: string, path: string): Match {
  const parts = path.split("/");
  const others: string[] = [];
  for (const { route, parts: pattern } of patterns) {
    const parameters = matchParts(pattern, parts);
    if (parameters === undefined) continue;
    if (route.method === method || (method === "HEAD" && route.method === "GET")) return { route, parameters };
    others.push(route.method);
  }
  if (others.length > 0) throw new LongshoreError("method_not_allowed", `Cannot ${method.slice(0, 16)} this path: it takes ${others.join(", ")}`, { phase: "admission" });
  throw new LongshoreError("route_not_found", `Cannot find ${JSON.stringify(path.slice(0, 80))}: /openapi.json lists every path`, { phase: "admission" });
}

function matchParts(pattern: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== parts.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const part = parts[index] ?? "";
    if (expected.startsWith("{")) parameters[expected.slice(1, -1)] = part;
    else if (expected !== part) return undefined;
  }
  return parameters;
}

/** The methods that a path takes; none when it is not in the API. */
export function methodsOf(path: string): readonly string[] {
  const parts = path.split("/");
  return patterns.filter(({ parts: pattern }) => matchParts(pattern, parts) !== undefined).map(({ route }) => route.method);
}

/** What an invocation is for: the function, and the target that its image is to see, raw. */
export interface Destination {
  readonly functionName: string;
  readonly target: string;
  /** It came through the function's URL. */
  readonly viaUrl: boolean;
}

/** A function URL's destination; undefined when the path is none. */
export function matchFunctionUrl({ path, query }: Target): Destination | undefined {
  if (!path.startsWith("/f/")) return undefined;
  const slash = path.indexOf("/", 3);
  const functionName = slash === -1 ? path.slice(3) : path.slice(3, slash);
  const rest = slash === -1 ? "/" : path.slice(slash);
  return { functionName, target: query === "" ? rest : `${rest}?${query}`, viaUrl: true };
}

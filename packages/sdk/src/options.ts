import { defaultPort, LongshoreError, socketPath } from "@longshore/protocol";
import type { WebSocketConstructor } from "./web-socket.ts";

/** How to reach a fleet; every field has a default. */
export interface FleetOptions {
  /** A broker's address. Default: `LONGSHORE_URL`, else `http://127.0.0.1:4270`. */
  readonly url?: string | undefined;
  /** An API key, `lsk_…`. Default: `LONGSHORE_KEY`; a loopback fleet needs none. */
  readonly key?: string | undefined;
  /** How invocations travel. `auto` (the default): over one WebSocket where there is such a thing, else over HTTP. */
  readonly transport?: "auto" | "websocket" | "http" | undefined;
  /** How long a call without `timeoutMs` waits for a broker that cannot be reached, and `enqueue` for one that accepts. Default 10 s. */
  readonly connectTimeoutMs?: number | undefined;
  /** After that long without a call the socket is closed (the next call opens it again), so that a program can end. Default 5 s. */
  readonly idleMs?: number | undefined;
  /** Used in place of the global one. */
  readonly WebSocket?: WebSocketConstructor | undefined;
  /** Used in place of the global one. */
  readonly fetch?: typeof fetch | undefined;
}

/** Options with every default filled in. */
export interface ResolvedOptions {
  /** Without a slash at its end. */
  readonly url: string;
  readonly socketUrl: string;
  readonly key: string | undefined;
  /** Absent: invocations go over HTTP. */
  readonly WebSocket: WebSocketConstructor | undefined;
  readonly fetch: typeof fetch;
  readonly connectTimeoutMs: number;
  readonly idleMs: number;
}

/** Fills in the defaults; throws `bad_schema` naming what cannot be used. */
export function resolveOptions(options: FleetOptions): ResolvedOptions {
  const url = readUrl(options.url ?? environment("LONGSHORE_URL") ?? `http://127.0.0.1:${defaultPort}`);
  return {
    url,
    socketUrl: `${url.replace(/^http/, "ws")}${socketPath}`,
    key: options.key ?? environment("LONGSHORE_KEY"),
    WebSocket: chooseWebSocket(options),
    fetch: options.fetch ?? ((...parameters) => globalThis.fetch(...parameters)),
    connectTimeoutMs: readMs(options.connectTimeoutMs, 10_000, "connectTimeoutMs"),
    idleMs: readMs(options.idleMs, 5_000, "idleMs"),
  };
}

function readUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new LongshoreError("bad_schema", `Cannot use ${JSON.stringify(text.slice(0, 80))} as url: expected http:// or https:// and a host`, { field: "url" });
  }
  if (url.username !== "" || url.password !== "") throw new LongshoreError("bad_schema", "Cannot use a user or password in url: a key goes into key", { field: "url" });
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}

/** The longest that timers can wait is 2^31 - 1 ms. */
function readMs(value: number | undefined, preset: number, field: string): number {
  if (value === undefined) return preset;
  if (value >= 0 && value < 2 ** 31) return value;
  throw new LongshoreError("bad_schema", `Cannot use ${value} as ${field}: expected milliseconds, at most 24 days of them`, { field });
}

const transports: readonly unknown[] = ["auto", "websocket", "http"];

function chooseWebSocket({ transport = "auto", WebSocket }: FleetOptions): WebSocketConstructor | undefined {
  if (!transports.includes(transport)) throw new LongshoreError("bad_schema", `Cannot use transport ${JSON.stringify(transport)}: expected auto, websocket or http`, { field: "transport" });
  if (transport === "http") return undefined;
  const known = WebSocket ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
  if (known === undefined && transport === "websocket") {
    throw new LongshoreError("bad_schema", "Cannot use transport \"websocket\": there is no global WebSocket here, and none was given", { field: "transport" });
  }
  return known;
}

/** Read without naming a Node built-in: browsers have no `process`. */
function environment(name: string): string | undefined {
  const value = (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env?.[name];
  return value === "" ? undefined : value;
}

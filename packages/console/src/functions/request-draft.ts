import type { HeaderList } from "@longshore/protocol";
import { Ring } from "../shell/ring.ts";

/** A request as a person writes it. */
export interface RequestDraft {
  readonly method: string;
  readonly path: string;
  /** One `name: value` a line. */
  readonly headers: string;
  readonly body: string;
  /** `site=plant,label.gpu=true` */
  readonly where: string;
  /** Accepted onto disk and begun when it can be, rather than waited for. */
  readonly isAsync: boolean;
  /** Empty: the function's own limit. */
  readonly timeoutMs: string;
}

export const emptyDraft: RequestDraft = { method: "POST", path: "/", headers: "content-type: application/json", body: "{}", where: "", isAsync: false, timeoutMs: "" };

/** What is wrong with a draft: the field, and what was expected of it. */
export interface DraftFault {
  readonly field: keyof RequestDraft;
  readonly message: string;
}

/** Reads the lines of headers, or says which line is none. */
export function readHeaders(text: string): { readonly headers: HeaderList } | DraftFault {
  const headers: [string, string][] = [];
  for (const [at, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const match = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*:\s*(.*?)\s*$/.exec(line);
    if (match === null) return { field: "headers", message: `Line ${at + 1} is no header: expected name: value` };
    headers.push([match[1] ?? "", match[2] ?? ""]);
  }
  return { headers };
}

/** What keeps a draft from being sent; undefined where nothing does. The broker judges the rest. */
export function faultOf(draft: RequestDraft): DraftFault | undefined {
  if (!draft.path.startsWith("/")) return { field: "path", message: "Must begin with /" };
  if (draft.timeoutMs.trim() !== "" && !(Number(draft.timeoutMs) >= 1)) return { field: "timeoutMs", message: "Must be milliseconds, at least 1" };
  if (draft.body !== "" && !draft.isAsync && (draft.method === "GET" || draft.method === "HEAD")) return { field: "body", message: `${draft.method} is sent without a body` };
  const read = readHeaders(draft.headers);
  return "field" in read ? read : undefined;
}

/** A request that this page sent, to be sent again, or changed and sent. Brokers keep no bodies of calls that were waited for. */
export interface SentRequest {
  readonly invocationId: string;
  readonly functionName: string;
  readonly draft: RequestDraft;
}

/** The latest requests of this page, by their invocations. */
export class SentRequests {
  readonly #ring = new Ring<SentRequest>(50);

  keep(request: SentRequest): void {
    this.#ring.push(request);
  }

  find(invocationId: string): SentRequest | undefined {
    return this.#ring.find((each) => each.invocationId === invocationId);
  }

  /** The latest of a function. */
  latest(functionName: string): SentRequest | undefined {
    return this.#ring.find((each) => each.functionName === functionName);
  }
}

/** A draft of what a dead letter's caller sent; `body` as text, where it is that. */
export function draftOfRequest({ method, target, headers }: { readonly method: string; readonly target: string; readonly headers: HeaderList }, body: Uint8Array, where: string): RequestDraft {
  return { method, path: target, headers: headers.map(([name, value]) => `${name}: ${value}`).join("\n"), body: new TextDecoder().decode(body), where, isAsync: true, timeoutMs: "" };
}

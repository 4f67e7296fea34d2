import { type HeaderList, isHopByHop, isReserved } from "@longshore/protocol";
import type { ResponseHead } from "./response-head.ts";

/**
 * The header fields of an answer that travel on: in order and as they stood, without those of the connection to the instance, ours
 * (an image must not speak for Longshore), and any length of an answer that never has a body. A 101 keeps its `Upgrade`.
 */
export function fieldsToPass(head: ResponseHead): HeaderList {
  const nominated = nominatedByConnection(head.headers);
  const hasNoLength = head.status === 204 || head.status === 304 || head.status === 101;
  return head.headers.filter(([name]) => {
    const lower = name.toLowerCase();
    if (lower === "upgrade") return head.status === 101;
    if (lower === "content-length") return !hasNoLength;
    return !isHopByHop(lower) && !isReserved(lower) && nominated?.has(lower) !== true;
  });
}

function nominatedByConnection(headers: HeaderList): Set<string> | undefined {
  let nominated: Set<string> | undefined;
  for (const [name, value] of headers) {
    if (name.toLowerCase() !== "connection" || value === "keep-alive" || value === "close") continue;
    nominated ??= new Set();
    for (const token of value.split(",")) nominated.add(token.trim().toLowerCase());
  }
  return nominated;
}

import type { Revision } from "@longshore/protocol";
import type { ContractCall } from "../contract.ts";

/** Where a call goes: which of the image's functions it is for, and its path and query as Azure would have them. */
export interface Route {
  readonly functionName: string;
  readonly target: string;
}

/**
 * `/api/{function}…` is Azure's own form: it stays, and names the function, so that an image with several serves them all. Any other
 * path is one below `/api/{function}` of the function that the document names.
 */
export function routeOf({ request }: ContractCall, revision: Revision): Route {
  const named = /^\/api\/([A-Za-z][\w-]{0,127})(?=[/?]|$)/.exec(request.target)?.[1];
  if (named !== undefined && revision.spec.azureTrigger === undefined) return { functionName: named, target: request.target };
  const functionName = revision.spec.azureFunction ?? revision.functionName;
  const rest = request.target === "/" || request.target.startsWith("/?") ? request.target.slice(1) : request.target;
  return { functionName, target: `/api/${functionName}${rest}` };
}

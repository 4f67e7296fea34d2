import { isIP } from "node:net";
import { kindOfAddress } from "./address-kind.ts";
import type { AllowList } from "./allow-list.ts";

/** Every address of a host's name, in the order in which they are to be tried. Rejects where there is none. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** A host that may be connected to, by these addresses and no others; or why it may not. */
export type CheckedTarget = { readonly addresses: readonly string[] } | { readonly refusedBecause: string };

/**
 * Finds a URL's addresses and decides whether a webhook may go there. Every address of a name must be allowed, not just the one that
 * would be tried first: a name that stands for both a public and a private address is no accident. Rejects as `resolve` does.
 */
export async function checkTarget(url: URL, resolve: Resolve, allow: AllowList): Promise<CheckedTarget> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const isLiteral = isIP(host) !== 0;
  const addresses = isLiteral ? [host] : await resolve(host);
  if (addresses.length === 0) throw new Error("its name has no address");
  if (allow.allowsHost(host)) return { addresses };
  for (const address of addresses) {
    const kind = kindOfAddress(address);
    if (kind === "public" || allow.allowsAddress(address)) continue;
    return { refusedBecause: isLiteral ? `its address is ${kind}` : `it stands for ${address}, which is ${kind}` };
  }
  return { addresses };
}

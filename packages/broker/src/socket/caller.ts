import type { TenantId } from "@longshore/protocol";

/** Who stands behind a socket. */
export interface Caller {
  readonly tenantId: TenantId;
}

/**
 * Finds out who calls, or throws `key_missing`, `token_invalid` or `not_allowed`. `loopback` is true for a request of the machine's
 * own user, whom a loopback fleet trusts without a key.
 */
export type Authenticate = (bearer: string | undefined, from: { readonly loopback: boolean }) => Caller | Promise<Caller>;

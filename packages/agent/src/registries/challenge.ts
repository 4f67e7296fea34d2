/** How a registry wants to be asked (RFC 9110, 11.6.1; distribution's token authentication). */
export type Challenge = { readonly scheme: "basic" } | BearerChallenge;

/** Asks for a token, which the realm gives. */
export interface BearerChallenge {
  readonly scheme: "bearer";
  readonly realm: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Reads a `WWW-Authenticate` field; undefined for what no engine answers either. */
export function readChallenge(field: string | undefined): Challenge | undefined {
  const scheme = /^\s*(\w+)/.exec(field ?? "")?.[1]?.toLowerCase();
  if (scheme === "basic") return { scheme };
  if (scheme !== "bearer") return undefined;
  const { realm, ...parameters } = Object.fromEntries([...(field ?? "").matchAll(/(\w+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [key.toLowerCase(), value]));
  return realm === undefined ? undefined : { scheme, realm, parameters };
}

/** The field with another realm in it. */
export function withRealm(field: string, realm: string): string {
  return field.replace(/(\brealm=")[^"]*"/i, (_, before: string) => `${before}${realm}"`);
}

/**
 * Tells whether a request may be taken for one of the machine's own user, where a loopback fleet asks for no key. A page of another
 * site can make a browser connect here, also under a name of its own that it points at 127.0.0.1; so a browser's request passes
 * only from a page of this very address, under a loopback name, or from an origin that the operator allowed.
 */
export function isOwnOrigin(origin: string | undefined, host: string | undefined, allowedOrigins: readonly string[]): boolean {
  if (origin === undefined) return true; // Browsers always send it on an upgrade.
  if (allowedOrigins.includes(origin)) return true;
  if (!URL.canParse(origin)) return false;
  const page = new URL(origin);
  return page.host === host?.toLowerCase() && isLoopbackName(page.hostname);
}

/**
 * Tells whether a request that shows no origin, as a browser's that only reads, was made under a name of this machine: a page of another
 * site may have had its own name lead here. Without a name it is no browser's.
 */
export function isOwnHost(host: string | undefined, allowedOrigins: readonly string[]): boolean {
  if (host === undefined || allowedOrigins.some((origin) => new URL(origin).host === host.toLowerCase())) return true;
  return URL.canParse(`http://${host}`) && isLoopbackName(new URL(`http://${host}`).hostname);
}

function isLoopbackName(hostname: string): boolean {
  return hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/** Tells whether a peer's address is the machine itself. */
export function isLoopbackAddress(address: string | undefined): boolean {
  return address !== undefined && (address === "::1" || /^(::ffff:)?127\.\d+\.\d+\.\d+$/i.test(address));
}

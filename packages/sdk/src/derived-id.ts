import { createInvocationId, LongshoreError } from "@longshore/protocol";

/**
 * The invocation id of one input of a map: the same whenever and wherever that map is run. It looks like any other, but for its time,
 * which means nothing. Throws `bad_schema` where there is no Web Crypto: on a page that did not come over HTTPS.
 */
export async function idOfInput(functionName: string, mapId: string, index: number): Promise<string> {
  const { subtle } = crypto as { subtle?: SubtleCrypto };
  if (subtle === undefined) throw new LongshoreError("bad_schema", "Cannot use mapId: a page that did not come over HTTPS has no Web Crypto to make ids with", { field: "mapId" });
  const digest = await subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify([functionName, mapId, index])));
  const view = new DataView(digest);
  return createInvocationId(view.getUint16(0) * 2 ** 32 + view.getUint32(2), new Uint8Array(digest, 6, 10));
}

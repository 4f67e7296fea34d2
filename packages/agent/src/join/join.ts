import { joinProofText, type JoinRequest, parseJoinToken } from "@longshore/protocol";
import { askBrokers, postForCredential } from "./broker-client.ts";
import { type AgentCredential, loadOrCreateKey, saveCredential, toSaved } from "./credential.ts";
import { fetchPinnedAuthority } from "./pinned-authority.ts";

export interface JoinOptions {
  /** This host's name, which the agent is called after unless the token says otherwise. */
  readonly hostName: string;
  /** Where key and credential are kept. */
  readonly dataFolder: string;
}

/**
 * Joins this host to a fleet: makes its key (which never leaves the host), makes sure that the broker is the one that made the token
 * before the token's secret is sent, trades it for a credential, and keeps that. With the same token it may be repeated on the same host.
 *
 * Throws what the broker said (`token_used`, `token_expired`, `token_invalid`, `not_allowed`), `token_invalid` for a text that is no token
 * or a broker that is not the token's, `bus_down` when none is reached.
 */
export async function join(tokenText: string, { hostName, dataFolder }: JoinOptions): Promise<AgentCredential> {
  const token = parseJoinToken(tokenText);
  const key = loadOrCreateKey(dataFolder);
  const request: JoinRequest = { tokenId: token.id, secret: token.secret, publicKey: key.publicKey, proof: key.prove(joinProofText(token.id)), hostName };
  const answer = await askBrokers(token.urls, async (url) => {
    const ca = token.caSha256 === undefined ? undefined : await fetchPinnedAuthority(url, token.caSha256);
    return postForCredential(new URL("/v1/join", url), request, ca);
  });
  const saved = toSaved(answer, token.urls);
  saveCredential(dataFolder, saved);
  return { ...saved, seed: key.seed };
}

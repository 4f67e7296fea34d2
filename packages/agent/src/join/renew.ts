import { LongshoreError, renewProofText } from "@longshore/protocol";
import { askBrokers, postForCredential } from "./broker-client.ts";
import { type AgentCredential, loadCredential, loadOrCreateKey, saveCredential, toSaved } from "./credential.ts";

/**
 * Asks a broker for a fresh credential by a request signed with the host's key, and keeps it. Throws what the broker said
 * (`token_invalid`, `token_expired`, `not_allowed`), `token_invalid` too where the host has not joined, `bus_down` when none is reached.
 */
export async function renewCredential(dataFolder: string): Promise<AgentCredential> {
  const known = loadCredential(dataFolder);
  if (known === undefined) throw new LongshoreError("token_invalid", `Cannot renew the credential: ${dataFolder} holds none; join first`);
  const key = loadOrCreateKey(dataFolder);
  const answer = await askBrokers(known.brokerUrls, (url) => {
    const at = Date.now();
    const body = { at, proof: key.prove(renewProofText(known.agentId, at)) };
    return postForCredential(new URL(`/v1/agents/${known.agentId}/renew`, url), body, known.ca);
  });
  const fresh = toSaved({ ...answer, ca: answer.ca ?? known.ca }, known.brokerUrls);
  saveCredential(dataFolder, fresh);
  return { ...fresh, seed: key.seed };
}

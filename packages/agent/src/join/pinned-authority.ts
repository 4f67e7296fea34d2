import { createHash } from "node:crypto";
import { connect, type DetailedPeerCertificate } from "node:tls";
import { LongshoreError } from "@longshore/protocol";

const handshakeWithinMs = 10_000;

/**
 * Fetches the certificates a broker shows, sends nothing, and returns the CA among them (PEM) whose SHA-256 is the expected one. Throws
 * `token_invalid` when there is none: whoever answers is not the broker that made the token.
 */
export async function fetchPinnedAuthority(url: URL, caSha256: string): Promise<string> {
  const leaf = await fetchChain(url);
  for (let certificate = leaf, depth = 0; depth < 10; certificate = certificate.issuerCertificate, depth += 1) {
    if (createHash("sha256").update(certificate.raw).digest("hex") === caSha256) return toPem(certificate.raw);
    if ((certificate.issuerCertificate as DetailedPeerCertificate | undefined) === undefined || certificate.issuerCertificate === certificate) break;
  }
  throw new LongshoreError("token_invalid", `Cannot trust ${url.host}: its certificate is not of the fleet that made the token; nothing was sent to it`, { field: "token" });
}

/** The handshake alone, so that nothing is trusted yet: what it shows is compared with the token, and a strict connection follows. */
function fetchChain(url: URL): Promise<DetailedPeerCertificate> {
  return new Promise((resolve, reject) => {
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const socket = connect({ host, port: Number(url.port || 443), rejectUnauthorized: false, timeout: handshakeWithinMs }, () => {
      resolve(socket.getPeerCertificate(true));
      socket.destroy();
    });
    socket.once("timeout", () => socket.destroy(new Error("no answer within 10 s")));
    socket.once("error", reject);
  });
}

function toPem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

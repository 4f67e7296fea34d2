import { createHash, randomBytes, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { writeSecret } from "./secret-file.ts";

const dayMs = 24 * 60 * 60_000;
const authorityLifeMs = 3650 * dayMs;
const certificateLifeMs = 397 * dayMs;
/** A certificate with less time left is made anew at the next start. */
const certificateMarginMs = 60 * dayMs;

const keyAlgorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const { subtle } = globalThis.crypto;

/** A CA of the fleet's own, and the certificate that broker and bus show. */
export interface Certificates {
  readonly ca: { readonly pem: string; readonly sha256: string };
  /** The certificate, followed by its CA, so that a joining host can check the CA against its token. */
  readonly certificateFile: string;
  readonly keyFile: string;
}

/**
 * Reads the certificates in a folder, or makes them there: the authority once, the server's certificate whenever its names change
 * or its time is nearly over. `names`: host names and addresses beside those of loopback.
 */
export async function loadOrCreateCertificates(folder: string, names: readonly string[]): Promise<Certificates> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const files = { caFile: join(folder, "ca.pem"), caKeyFile: join(folder, "ca-key.pem"), certificateFile: join(folder, "server.pem"), keyFile: join(folder, "server-key.pem") };
  if (!existsSync(files.caFile)) await createAuthority(files.caFile, files.caKeyFile);
  const pem = readFileSync(files.caFile, "utf8");
  const wanted = [...new Set(["localhost", "127.0.0.1", "::1", ...names])];
  if (!isCurrent(files.certificateFile, pem, wanted)) await createCertificate(files, pem, wanted);
  return { ca: { pem, sha256: createHash("sha256").update(new X509Certificate(pem).raw).digest("hex") }, certificateFile: files.certificateFile, keyFile: files.keyFile };
}

function isCurrent(file: string, caPem: string, names: readonly string[]): boolean {
  if (!existsSync(file)) return false;
  const certificate = new X509Certificate(readFileSync(file, "utf8"));
  const isNamed = names.every((name) => (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined);
  return isNamed && certificate.verify(new X509Certificate(caPem).publicKey) && Date.parse(certificate.validTo) > Date.now() + certificateMarginMs;
}

/** The library is large, and needed once in a fleet's life. */
const x509 = () => import("@peculiar/x509");

async function createAuthority(caFile: string, caKeyFile: string): Promise<void> {
  const { X509CertificateGenerator, BasicConstraintsExtension, KeyUsagesExtension, KeyUsageFlags, SubjectKeyIdentifierExtension } = await x509();
  const keys = await subtle.generateKey(keyAlgorithm, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=Longshore fleet ${randomBytes(4).toString("hex")}`,
    serialNumber: randomBytes(16).toString("hex"),
    notBefore: new Date(Date.now() - dayMs),
    notAfter: new Date(Date.now() + authorityLifeMs),
    keys,
    signingAlgorithm: keyAlgorithm,
    extensions: [new BasicConstraintsExtension(true, 0, true), new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true), await SubjectKeyIdentifierExtension.create(keys.publicKey)],
  });
  writeSecret(caKeyFile, await exportKey(keys.privateKey));
  writeSecret(caFile, `${certificate.toString("pem")}\n`);
}

async function createCertificate(files: { caKeyFile: string; certificateFile: string; keyFile: string }, caPem: string, names: readonly string[]): Promise<void> {
  const library = await x509();
  const authority = new library.X509Certificate(caPem);
  const keys = await subtle.generateKey(keyAlgorithm, true, ["sign", "verify"]);
  const certificate = await library.X509CertificateGenerator.create({
    subject: "CN=Longshore broker",
    issuer: authority.subject,
    serialNumber: randomBytes(16).toString("hex"),
    notBefore: new Date(Date.now() - dayMs),
    notAfter: new Date(Date.now() + certificateLifeMs),
    publicKey: keys.publicKey,
    signingKey: await importKey(readFileSync(files.caKeyFile, "utf8")),
    signingAlgorithm: keyAlgorithm,
    extensions: [
      new library.BasicConstraintsExtension(false),
      new library.KeyUsagesExtension(library.KeyUsageFlags.digitalSignature, true),
      new library.ExtendedKeyUsageExtension([library.ExtendedKeyUsage.serverAuth]),
      new library.SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const), value }))),
      await library.AuthorityKeyIdentifierExtension.create(authority),
    ],
  });
  writeSecret(files.keyFile, await exportKey(keys.privateKey));
  writeSecret(files.certificateFile, `${certificate.toString("pem")}\n${caPem}`);
}

async function exportKey(key: CryptoKey): Promise<string> {
  const base64 = Buffer.from(await subtle.exportKey("pkcs8", key)).toString("base64");
  return `-----BEGIN PRIVATE KEY-----\n${(base64.match(/.{1,64}/g) ?? []).join("\n")}\n-----END PRIVATE KEY-----\n`;
}

function importKey(pem: string): Promise<CryptoKey> {
  const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
  return subtle.importKey("pkcs8", der, keyAlgorithm, false, ["sign"]);
}

import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadOrCreateCertificates } from "./certificate-authority.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "longshore-ca-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("the fleet's certificates", () => {
  it("name every host they were made for, and loopback, and show the CA beside", async () => {
    const { ca, certificateFile, keyFile } = await loadOrCreateCertificates(folder, ["broker.example", "10.0.0.7"]);
    const pem = readFileSync(certificateFile, "utf8");
    const certificate = new X509Certificate(pem);
    for (const host of ["broker.example", "localhost"]) expect(certificate.checkHost(host), host).toBe(host);
    for (const ip of ["10.0.0.7", "127.0.0.1", "::1"]) expect(certificate.checkIP(ip), ip).toBeDefined();
    expect(certificate.checkHost("other.example")).toBeUndefined();
    expect(certificate.verify(new X509Certificate(ca.pem).publicKey)).toBe(true);
    expect(pem.endsWith(ca.pem)).toBe(true);
    for (const file of [keyFile, join(folder, "ca-key.pem")]) expect(statSync(file).mode & 0o077).toBe(0);
  });

  it("stay as they are, until a name is added: then the CA stays and the certificate is new", async () => {
    const first = await loadOrCreateCertificates(folder, ["one.example"]);
    const certificate = readFileSync(first.certificateFile, "utf8");
    expect(await loadOrCreateCertificates(folder, ["one.example"])).toEqual(first);
    expect(readFileSync(first.certificateFile, "utf8")).toBe(certificate);
    expect((await loadOrCreateCertificates(folder, ["two.example"])).ca).toEqual(first.ca);
    expect(new X509Certificate(readFileSync(first.certificateFile, "utf8")).checkHost("two.example")).toBe("two.example");
  });
});

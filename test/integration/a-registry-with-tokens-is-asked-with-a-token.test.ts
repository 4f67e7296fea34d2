import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RegistryCredential } from "@longshore/protocol";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Certificates, loadOrCreateCertificates } from "../../packages/broker/src/identity/certificate-authority.ts";
import { docker } from "../support/agent-engine.ts";
import { type DockerRegistry, outsideAddress, startDockerRegistry } from "../support/docker-registry.ts";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { printing } from "../support/printing-image.ts";
import { startTokenServer, tokenLogins, type TokenServer } from "../support/token-server.ts";

const mebibyte = 2 ** 20;
/** In the name of every repository here, so that what was pulled can be removed. */
const mark = `longshore-test-${randomBytes(4).toString("hex")}`;

interface Pair {
  readonly registry: DockerRegistry;
  readonly tokens: TokenServer;
}

describe("a registry that wants tokens", () => {
  const folder = mkdtempSync(join(tmpdir(), "longshore-tokens-"));
  const host = outsideAddress();
  let near: Pair;
  let far: Pair;
  /** Its token server's certificate is of an authority that no setting names. */
  let doubtful: Pair;
  let hosts: TestFleet;

  beforeAll(async () => {
    const [own, foreign] = await Promise.all(["own", "foreign"].map((name) => loadOrCreateCertificates(join(folder, name), [host])));
    if (own === undefined || foreign === undefined) throw new Error("Two were asked for");
    const startFar = async (signer: Certificates): Promise<Pair> => {
      const tokens = await startTokenServer({ host, certificates: signer, hasTls: true });
      return { tokens, registry: await startDockerRegistry({ host, tokens, tls: { ...own, ca: own.ca.pem } }) };
    };
    const tokens = await startTokenServer({ certificates: own });
    near = { tokens, registry: await startDockerRegistry({ tokens }) };
    [far, doubtful] = await Promise.all([startFar(own), startFar(foreign)]);
    const registries = [far, doubtful].map(({ registry }) => ({ host: registry.address, caFile: join(folder, "own", "ca.pem") }));
    hosts = await startFleet({ sites: ["plant"], agent: { registries } });
  });
  afterAll(async () => {
    await hosts.close();
    await Promise.all([near, far, doubtful].flatMap(({ registry, tokens }) => [registry.close(), tokens.close()]));
    rmSync(folder, { recursive: true, force: true });
    const images = await docker.listImages();
    for (const { Id } of images.filter(({ RepoTags, RepoDigests }) => JSON.stringify([RepoTags, RepoDigests]).includes(mark))) await docker.getImage(Id).remove({ force: true });
  });

  const deployFrom = (registry: DockerRegistry, name: string, tag = "1") =>
    hosts.fleet.deploy({ name, image: `${registry.address}/${mark}/${name}:${tag}`, contract: "stdio", memoryBytes: 32 * mebibyte, timeoutMs: 20_000 });

  describe.each([
    // Where no setting speaks of a registry, the engine has ways of its own, and the account of them is the engine's.
    { way: "the engine itself", name: "near", pair: () => near, away: "dial tcp TOKENS: connect: connection refused" },
    { way: "the agent's relay, with a private CA", name: "far", pair: () => far, away: 'token server "TOKENS" of registry "REGISTRY" cannot be reached: connect ECONNREFUSED' },
  ])("by $way", ({ name, pair, away }) => {
    let registry: DockerRegistry;
    let tokens: TokenServer;
    const deploy = (tag?: string) => deployFrom(registry, name, tag);
    const logIn = (login: RegistryCredential) => hosts.fleet.registries.set(registry.address, login);
    const refusal = (tag?: string): Promise<unknown> => deploy(tag).then(() => "It was not refused", (error: unknown) => error);

    beforeAll(async () => {
      ({ registry, tokens } = pair());
      await registry.push(`${mark}/${name}`, "1", printing(name));
    });
    beforeEach(() => tokens.script(undefined));

    it("tells what its token server has against a login", async () => {
      const answered = `token server "${tokens.address}" of registry "${registry.address}" answered 401: incorrect username or password, and it was asked`;
      expect(await refusal()).toMatchObject({ reason: "registry_denied", message: expect.stringContaining(`${answered} without credentials`) });
      await logIn({ ...tokenLogins.reader, password: "mistyped" });
      const refused = await refusal();
      expect(refused).toMatchObject({ reason: "registry_denied", message: expect.stringContaining(`${answered} as "reader"`) });
      expect(JSON.stringify(refused)).not.toContain("mistyped");
    });

    it("tells that a login has no right to the repository", async () => {
      await logIn(tokenLogins.stranger);
      const answered = `: registry "${registry.address}" answered 401: authentication required (insufficient_scope: repository:${mark}/${name}:pull), and it was asked as "stranger"`;
      expect(await refusal()).toMatchObject({ reason: "registry_denied", message: expect.stringContaining(answered) });
    });

    it.each([
      { what: "does not know the way", status: 404, body: '{"message":"no such path"}', told: "answered 404: no such path" },
      { what: "fails", status: 500, body: "<html>", told: "answered 500: Internal Server Error" },
      { what: "gives none", status: 200, body: "{}", told: "answered 200: no token" },
    ])("tells of a token server that $what", async ({ status, body, told }) => {
      await logIn(tokenLogins.reader);
      tokens.script((_, response) => void response.writeHead(status).end(body));
      expect(await refusal()).toMatchObject({ reason: "image_pull_failed", message: expect.stringContaining(`token server "${tokens.address}" of registry "${registry.address}" ${told}`) });
    });

    it("gives the image to a login that may read it, and the function runs", async () => {
      await logIn(tokenLogins.reader);
      await deploy();
      const { body } = await hosts.fleet.call(name);
      expect(await new Response(body).text()).toBe(name);
    });

    it("tells of a token server that is away", async () => {
      await tokens.close();
      const told = away.replace("TOKENS", tokens.address).replace("REGISTRY", registry.address);
      expect(await refusal("2")).toMatchObject({ reason: "image_pull_failed", message: expect.stringContaining(told) });
    });
  });

  it("loses no password to a token server of another authority", async () => {
    const { registry, tokens } = doubtful;
    await registry.push(`${mark}/doubtful`, "1", printing("doubtful"));
    await hosts.fleet.registries.set(registry.address, tokenLogins.reader);
    const told = `token server "${tokens.address}" of registry "${registry.address}" cannot be reached: self-signed certificate`;
    await expect(deployFrom(registry, "doubtful")).rejects.toMatchObject({ reason: "image_pull_failed", message: expect.stringContaining(told) });
    expect(tokens.asked).toBe(0);
  });
});

import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { DeployProgress } from "@longshore/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDockerEngine } from "../../packages/agent/src/engine/docker.ts";
import { startRegistries } from "../../packages/agent/src/registries/registries.ts";
import { type RegistrySetting, registrySettingsSchema } from "../../packages/agent/src/registries/settings.ts";
import { loadOrCreateCertificates } from "../../packages/broker/src/identity/certificate-authority.ts";
import { docker } from "../support/agent-engine.ts";
import { type DockerRegistry, outsideAddress, registryLogin, startDockerRegistry } from "../support/docker-registry.ts";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { shellFunction } from "../support/functions.ts";
import { busybox, noise, printing } from "../support/printing-image.ts";
import { makeManifestList } from "../support/registry-image.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { silentLog } from "../support/silent-log.ts";

const mebibyte = 2 ** 20;
/** In the name of every repository here, so that what was pulled can be removed. */
const mark = `longshore-test-${randomBytes(4).toString("hex")}`;

/** What a file holds; nothing once it is gone: a server that runs replaces its files. */
function contentOf(path: string): Buffer {
  return existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
}

describe("images of registries", () => {
  const folder = mkdtempSync(join(tmpdir(), "longshore-ca-"));
  const host = outsideAddress();
  /** On loopback, with a password: the engine pulls by itself. */
  let plain: DockerRegistry;
  /** Elsewhere, with a password and a certificate of a private CA. */
  let tls: DockerRegistry;
  /** Elsewhere without TLS, and its mirror. */
  let lab: TestRegistry;
  let mirror: TestRegistry;
  let settings: RegistrySetting[];
  let hosts: TestFleet;

  beforeAll(async () => {
    const certificates = await loadOrCreateCertificates(folder, [host]);
    writeFileSync(join(folder, "plant-ca.pem"), certificates.ca.pem);
    [plain, tls, lab, mirror] = await Promise.all([
      startDockerRegistry({ isProtected: true }),
      startDockerRegistry({ host, isProtected: true, tls: { ...certificates, ca: certificates.ca.pem } }),
      startRegistry(host),
      startRegistry(),
    ]);
    settings = registrySettingsSchema.parse([
      { host: tls.address, caFile: join(folder, "plant-ca.pem") },
      { host: lab.address, plainHttp: true, mirrors: [`http://${mirror.address}`] },
    ]);
    hosts = await startFleet({ agent: { registries: settings, pullSilenceMs: 8_000 } });
  });
  afterAll(async () => {
    await hosts.close();
    await Promise.all([plain, tls, lab, mirror].map((registry) => registry.close()));
    rmSync(folder, { recursive: true, force: true });
    const images = await docker.listImages();
    for (const { Id } of images.filter(({ RepoTags, RepoDigests }) => JSON.stringify([RepoTags, RepoDigests]).includes(mark))) await docker.getImage(Id).remove({ force: true });
  });

  const document = (name: string, image: string) => ({ name, image, contract: "stdio" as const, memoryBytes: 32 * mebibyte, timeoutMs: 20_000 });
  const says = async (name: string, where?: { site: string }) => new Response((await hosts.fleet.call(name, undefined, where && { where })).body).text();
  const logIn = (registry: DockerRegistry, password: string = registryLogin.password) => hosts.fleet.registries.set(registry.address, { username: registryLogin.username, password });

  it("are pulled with the tenant's credentials, and a refusal is told in the registry's words", async () => {
    await plain.push(`${mark}/greet`, "1", printing("hello", [[busybox], [noise(6 * mebibyte)]]));
    const greet = document("greet", `${plain.address}/${mark}/greet:1`);
    await expect(hosts.fleet.deploy(greet)).rejects.toMatchObject({ reason: "registry_denied", message: expect.stringMatching(/answered 401: authentication required, and it was asked without credentials/) });
    await logIn(plain, "wrong");
    const wrong: unknown = await hosts.fleet.deploy(greet).catch((error: unknown) => error);
    expect(wrong).toMatchObject({ reason: "registry_denied", message: expect.stringMatching(/asked as "plant"/) });
    expect(JSON.stringify(wrong)).not.toContain("wrong");

    await logIn(plain);
    const told: DeployProgress[] = [];
    await hosts.fleet.deploy(greet, { onProgress: (progress) => told.push(progress) });
    expect(told.at(-1)?.pull).toMatchObject({ layers: 3, layersDone: 3 });
    expect(told.at(-1)?.pull.bytesDone).toBeGreaterThan(6 * mebibyte);
    expect(await says("greet")).toBe("hello");
    expect(await hosts.fleet.registries.list()).toEqual([expect.objectContaining({ host: plain.address, username: "plant" })]);
  });

  it("leave their credentials on no disk in the clear, and the fleet forgets them when it is told to", async () => {
    await hosts.fleet.registries.set("elsewhere.example", { username: "robot", password: registryLogin.password });
    await hosts.fleet.registries.remove("elsewhere.example");
    await expect(hosts.fleet.registries.remove("elsewhere.example")).rejects.toMatchObject({ reason: "registry_not_found" });
    const fleetFolder = dirname(hosts.agents[0]?.dataFolder ?? "");
    const files = readdirSync(fleetFolder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const telling = (text: string) => files.filter(({ parentPath, name }) => contentOf(join(parentPath, name)).includes(text));
    expect(telling(registryLogin.password)).toEqual([]);
    expect(telling(plain.address).length).toBeGreaterThan(0); // What is looked through is where it would be.
  });

  it("come whole when a pull was given up midway and is begun again", async () => {
    await plain.push(`${mark}/large`, "1", printing("whole", [[busybox], [noise(24 * mebibyte)]]));
    const large = document("large", `${plain.address}/${mark}/large:1`);
    const abort = new AbortController();
    const given = hosts.fleet.deploy(large, { signal: abort.signal, onProgress: () => abort.abort() });
    await expect(given).rejects.toMatchObject({ reason: "caller_gone" });
    await hosts.fleet.deploy(large);
    expect(await says("large")).toBe("whole");
  });

  it("share their layers: what one has brought the next does not ask for", async () => {
    const shared = [[busybox], [noise(mebibyte)]];
    const [first, second] = [printing("first", shared), printing("second", shared)];
    const [layer = ""] = [...first.blobs.keys()].filter((digest) => second.blobs.has(digest)).slice(1);
    await plain.push(`${mark}/first`, "1", first);
    await plain.push(`${mark}/second`, "1", second);
    for (const name of ["first", "second"]) await hosts.fleet.deploy(document(name, `${plain.address}/${mark}/${name}:1`));
    expect([await says("first"), await says("second")]).toEqual(["first", "second"]);
    expect(plain.reads(new RegExp(`/${mark}/(first|second)/blobs/${layer}`))).toBe(1);
  });

  it("of a registry with a private CA are pulled where a setting names the CA, and known by their digest after a restart", async () => {
    const digest = await tls.push(`${mark}/sealed`, "1", printing("sealed"));
    const reference = `${tls.address}/${mark}/sealed`;
    const bare = createDockerEngine({ agentId: mark });
    await expect(bare.pullImage(`${reference}:1`, { credential: registryLogin })).rejects.toMatchObject({ failure: "internal", message: expect.stringMatching(/x509/) });

    await logIn(tls);
    const { function: deployed } = await hosts.fleet.deploy(document("sealed", `${reference}:1`));
    expect(deployed.resolvedImage).toMatchObject({ digest, local: false });
    expect(await says("sealed")).toBe("sealed");

    const registries = await startRegistries(settings, silentLog);
    const restarted = createDockerEngine({ agentId: mark, registries });
    expect(await restarted.inspectImage(`${reference}@${digest}`)).toMatchObject({ repositoryDigests: [`${reference}@${digest}`] });
    expect(JSON.stringify(await docker.listImages())).not.toMatch(new RegExp(`127\\.0\\.0\\.1:\\d+/${mark}/sealed`));
    await registries.close();
  });

  it("of a registry without TLS are pulled where a setting says so, from its mirror first", async () => {
    const both = printing("both");
    for (const registry of [lab, mirror]) registry.put(`${mark}/both`, "1", both);
    lab.add(`${mark}/only-here`, "1");
    const bare = createDockerEngine({ agentId: mark });
    await expect(bare.pullImage(`${lab.address}/${mark}/both:1`, {})).rejects.toMatchObject({ failure: "internal" });

    const registries = await startRegistries(settings, silentLog);
    const engine = createDockerEngine({ agentId: mark, registries });
    await engine.pullImage(`${lab.address}/${mark}/both:1`, {});
    expect(blobReads(mirror, "both")).toBeGreaterThan(0);
    expect(blobReads(lab, "both")).toBe(0);
    await engine.pullImage(`${lab.address}/${mark}/only-here:1`, {});
    expect(blobReads(lab, "only-here")).toBeGreaterThan(0);
    await registries.close();
  });

  it("keep to their digest on every agent while their tag moves, until the next deploy", async () => {
    await plain.push(`${mark}/moving`, "1", printing("before"));
    const moving = document("moving", `${plain.address}/${mark}/moving:1`);
    await hosts.fleet.deploy(moving);
    const after = await plain.push(`${mark}/moving`, "1", printing("after"));
    // The agents share an engine: one that comes now, to which the tag means nothing yet, stands for a host of its own.
    await docker.getImage(`${plain.address}/${mark}/moving:1`).remove({ force: true });
    const late = await hosts.addAgent("late");
    const everywhere = () => Promise.all(["plant", "cloud", "late"].map((site) => says("moving", { site })));
    expect(await everywhere()).toEqual(["before", "before", "before"]);
    expect(await hosts.fleet.deploy(moving)).toMatchObject({ changed: true, function: { resolvedImage: { digest: after } } });
    expect(await everywhere()).toEqual(["after", "after", "after"]);
    await hosts.fleet.agents.cordon(late.agentId);
  });

  it("are of the host's architecture, or refused with both named", async () => {
    const [own, foreign] = [printing("own"), printing("foreign", [[busybox]], "arm64")];
    for (const image of [own, foreign]) await plain.push(`${mark}/arch`, image.digest.slice(7, 19), image);
    await plain.push(`${mark}/arch`, "many", makeManifestList({ arm64: foreign, amd64: own }));
    await plain.push(`${mark}/arch`, "foreign", makeManifestList({ arm64: foreign, s390x: foreign }));
    const deploy = (name: string, tag: string) => hosts.fleet.deploy(document(name, `${plain.address}/${mark}/arch:${tag}`));
    await deploy("many", "many");
    expect(await says("many")).toBe("own");
    await expect(deploy("single", foreign.digest.slice(7, 19))).rejects.toMatchObject({ reason: "wrong_architecture", message: expect.stringMatching(/"arm64".*"amd64"/) });
    await expect(deploy("listed", "foreign")).rejects.toMatchObject({ reason: "wrong_architecture", message: expect.stringMatching(/"arm64", "s390x".*"amd64"/) });
  });

  it("that exist in an engine only are deployed where they are, and asked of no registry", async () => {
    const { image } = await shellFunction("local", "true");
    expect(await hosts.fleet.deploy(document("local", image), { local: true })).toMatchObject({ function: { resolvedImage: { local: true } } });
    lab.add(`${mark}/absent`, "1");
    const before = lab.requests.length;
    await expect(hosts.fleet.deploy(document("absent", `${lab.address}/${mark}/absent:1`), { local: true })).rejects.toMatchObject({ reason: "image_not_found", message: expect.stringMatching(/none of the 2 agents that may run it has it/) });
    expect(lab.requests.length).toBe(before);
  });

  describe("that misbehave", () => {
    const deploy = (name: string) => hosts.fleet.deploy(document(name, `${lab.address}/${mark}/${name}:1`));

    it("by silence are given up", async () => {
      lab.add(`${mark}/slow`, "1");
      const release = lab.holdLayers();
      await expect(deploy("slow")).rejects.toMatchObject({ reason: "image_pull_failed", message: expect.stringMatching(/its registry has sent nothing for 8 s/) });
      release();
    });

    it("by an error in the midst, by other bytes than were promised, by refusing, and by being away are told apart", async () => {
      lab.add(`${mark}/damaged`, "1", { damaged: true });
      await expect(deploy("damaged")).rejects.toMatchObject({ reason: "image_pull_failed", message: expect.stringMatching(/blob|unknown/i) });
      await expect(deploy("missing")).rejects.toMatchObject({ reason: "image_not_found", message: expect.stringMatching(/answered 404: unknown/) });

      lab.add(`${mark}/forged`, "1");
      lab.script((request, response) => {
        if (!(request.url ?? "").includes(`${mark}/`)) return false;
        if (request.url?.includes("/forged/blobs/") === true) return void response.end(Buffer.alloc(1_000)), true;
        if (request.url?.includes("/broken/") !== true) return false;
        response.writeHead(429, { "content-type": "application/json" }).end('{"errors":[{"code":"TOOMANYREQUESTS","message":"come back tomorrow"}]}');
        return true;
      });
      await expect(deploy("forged")).rejects.toMatchObject({ reason: "image_pull_failed", message: expect.stringMatching(/sha256|verification|size|mismatch/i) });
      await expect(deploy("broken")).rejects.toMatchObject({ reason: "image_pull_failed", message: expect.stringMatching(/answered 429: come back tomorrow/) });

      await lab.close();
      await expect(deploy("away")).rejects.toMatchObject({ reason: "image_pull_failed", message: expect.stringMatching(/cannot be reached: connect ECONNREFUSED/) });
    });
  });
});

function blobReads(registry: TestRegistry, name: string): number {
  return registry.requests.filter((request) => request.startsWith("GET") && request.includes(`/${name}/blobs/`)).length;
}

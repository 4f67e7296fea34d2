import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { formatSource, parseDeb822, parseList, readAptSources } from "./apt-sources.mjs";

const mirror = "http://mirror.example/debian";

describe("parseList()", () => {
  test("reads archives, with options and without", () => {
    const text = `# the mirror\ndeb ${mirror} bookworm main contrib # near\n\ndeb [arch=amd64 signed-by=/keys/debian.gpg] ${mirror} sid main\n`;
    expect(parseList(text)).toEqual([
      { uris: [mirror], suites: ["bookworm"], components: ["main", "contrib"], signedBy: "" },
      { uris: [mirror], suites: ["sid"], components: ["main"], signedBy: "/keys/debian.gpg" },
    ]);
  });

  test("leaves out sources and what is commented out", () => {
    expect(parseList(`deb-src ${mirror} bookworm main\n#deb ${mirror} bookworm main\n`)).toEqual([]);
  });
});

describe("parseDeb822()", () => {
  test("reads paragraphs, folded fields and comments among them", () => {
    const text = `Types: deb deb-src\n# the mirror\nURIs: ${mirror}\nSuites: bookworm bookworm-updates\nComponents:\n main\n contrib\nSigned-By: /keys/debian.gpg\n`;
    expect(parseDeb822(text)).toEqual([
      { uris: [mirror], suites: ["bookworm", "bookworm-updates"], components: ["main", "contrib"], signedBy: "/keys/debian.gpg" },
    ]);
  });

  test("leaves out paragraphs that are switched off or hold only sources", () => {
    const body = `URIs: ${mirror}\nSuites: bookworm\nComponents: main\n`;
    expect(parseDeb822(`Types: deb\nEnabled: no\n${body}\nTypes: deb-src\n${body}\nTypes: deb\nEnabled: yes\n${body}`)).toHaveLength(1);
  });
});

test("formatSource() names another suite of the same archive, with a key that stands in the file itself", () => {
  const key = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n -----END PGP PUBLIC KEY BLOCK-----";
  const [source] = parseDeb822(`Types: deb\nURIs: ${mirror}\nSuites: bookworm\nComponents: main contrib\nSigned-By:\n ${key}\n`);
  const text = formatSource(/** @type {import("./apt-sources.mjs").AptSource} */ (source), "forky");
  expect(text).toBe(`Types: deb\nURIs: ${mirror}\nSuites: forky\nComponents: main\nSigned-By: \n ${key}\n`);
  expect(parseDeb822(text)).toEqual([{ ...source, suites: ["forky"], components: ["main"] }]);
});

describe("readAptSources()", () => {
  /** @type {string} */
  let folder;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "longshore-apt-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("reads both formats where apt does, and nothing else", () => {
    mkdirSync(join(folder, "sources.list.d"));
    writeFileSync(join(folder, "sources.list"), `deb ${mirror} one main\n`);
    writeFileSync(join(folder, "sources.list.d", "b.sources"), `Types: deb\nURIs: ${mirror}\nSuites: three\nComponents: main\n`);
    writeFileSync(join(folder, "sources.list.d", "a.list"), `deb ${mirror} two main\n`);
    writeFileSync(join(folder, "sources.list.d", "c.list.disabled"), `deb ${mirror} four main\n`);
    expect(readAptSources(folder).flatMap((source) => source.suites)).toEqual(["one", "two", "three"]);
  });

  test("is empty where apt is not configured", () => {
    expect(readAptSources(folder)).toEqual([]);
  });
});

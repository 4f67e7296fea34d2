import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * One archive that apt is configured to use (sources.list(5)).
 * @typedef {object} AptSource
 * @property {string[]} uris
 * @property {string[]} suites
 * @property {string[]} components
 * @property {string} signedBy a keyring's path, or the key itself; empty when apt's own keyrings count
 */

/**
 * Every binary archive in apt's own configuration, in apt's order.
 * @param {string} [folder] apt's folder of configuration
 * @returns {AptSource[]}
 */
export function readAptSources(folder = "/etc/apt") {
  const parts = join(folder, "sources.list.d");
  const files = [join(folder, "sources.list"), ...(existsSync(parts) ? readdirSync(parts).sort().map((name) => join(parts, name)) : [])];
  return files.filter(existsSync).flatMap((file) => {
    if (file.endsWith(".list")) return parseList(readFileSync(file, "utf8"));
    return file.endsWith(".sources") ? parseDeb822(readFileSync(file, "utf8")) : [];
  });
}

/** The one-line format: `deb [signed-by=…] uri suite component…`. @param {string} text @returns {AptSource[]} */
export function parseList(text) {
  return text.split("\n").flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    if (match === null) return [];
    const [, options = "", uri = "", suite = "", components = ""] = match;
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1] ?? "";
    return [{ uris: [uri], suites: [suite], components: words(components), signedBy }];
  });
}

/** The deb822 format: paragraphs of fields. @param {string} text @returns {AptSource[]} */
export function parseDeb822(text) {
  const paragraphs = text.replaceAll(/^#.*\n?/gm, "").split(/\n[ \t]*\n/);
  return paragraphs.map(parseFields).flatMap((fields) => {
    const isUsed = words(fields.types ?? "").includes("deb") && !/^(no|false|off|0)$/i.test((fields.enabled ?? "").trim());
    if (!isUsed) return [];
    const signedBy = (fields["signed-by"] ?? "").trim();
    return [{ uris: words(fields.uris ?? ""), suites: words(fields.suites ?? ""), components: words(fields.components ?? ""), signedBy }];
  });
}

/**
 * Writes a source for another suite of the same archive, in the deb822 format.
 * @param {AptSource} source
 * @param {string} suite
 */
export function formatSource(source, suite) {
  const lines = ["Types: deb", `URIs: ${source.uris.join(" ")}`, `Suites: ${suite}`, "Components: main"];
  if (source.signedBy !== "") lines.push(`Signed-By: ${source.signedBy.includes("\n") ? `\n ${source.signedBy}` : source.signedBy}`);
  return `${lines.join("\n")}\n`;
}

/** @param {string} paragraph @returns {Record<string, string>} by the field's name in lower case */
function parseFields(paragraph) {
  /** @type {Record<string, string>} */
  const fields = {};
  let name = "";
  for (const line of paragraph.split("\n")) {
    const match = /^([A-Za-z-]+):(.*)$/.exec(line);
    if (match !== null) fields[(name = (match[1] ?? "").toLowerCase())] = match[2] ?? "";
    else if (name !== "") fields[name] += `\n${line}`;
  }
  return fields;
}

function words(/** @type {string} */ text) {
  return text.split(/\s+/).filter((word) => word !== "");
}

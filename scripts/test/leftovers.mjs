import { existsSync, readdirSync, readFileSync } from "node:fs";
import { get } from "node:http";
import { engineAddress } from "../setup/engine-address.mjs";
import { findCommand } from "../setup/machine.mjs";
import { tryCommand } from "../setup/run-command.mjs";

/** How long what is on its way out may take: a held container removes itself after its agent has gone. */
const graceMs = 20_000;

/**
 * Tells one run of the tests from whatever else happens on the machine: the run has a temporary folder of its own, and everything it
 * starts inherits the mark. `enter` are the words before a command that looks at the network the run is in: none for the machine's own.
 * @typedef {{ temporaryFolder: string, mark: string, enter: readonly string[] }} TestRun
 */

/**
 * What is on the machine now that tests might leave behind, each in words for a person.
 * @param {TestRun} run
 * @returns {Promise<Set<string>>}
 */
export async function listTraces(run) {
  const lists = await Promise.all([
    containers(), networks(), volumes(), firewallRules(run), networkNamespaces(), temporaryFolders(run), processes(run),
  ]);
  return new Set(lists.flat());
}

/**
 * What is there now and was not before; waits a little for what is on its way out.
 * @param {TestRun} run
 * @param {Set<string>} before
 * @returns {Promise<string[]>}
 */
export async function findLeftovers(run, before) {
  const giveUpAt = performance.now() + graceMs;
  for (;;) {
    const left = [...(await listTraces(run))].filter((trace) => !before.has(trace));
    if (left.length === 0 || performance.now() > giveUpAt) return left;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** On everything that an agent makes. */
const label = "longshore.fleet";

async function containers() {
  /** @type {{ Id: string, Names: string[], State: string, Image: string, Labels: Record<string, string> }[]} */
  const list = await askEngine("/containers/json?all=1");
  // What an agent made, and what a test made of an image of ours without one.
  const ofTests = list.filter(({ Image, Labels }) => label in Labels || /^longshore[.-]/.test(Image));
  return ofTests.map(({ Id, Names, State }) => `container ${Names[0] ?? ""} (${Id.slice(0, 12)}, ${State})`);
}

async function networks() {
  /** @type {{ Id: string, Name: string }[]} */
  const list = await askEngine(`/networks?filters=${encodeURIComponent(JSON.stringify({ label: [label] }))}`);
  return list.map(({ Id, Name }) => `network ${Name} (${Id.slice(0, 12)})`);
}

async function volumes() {
  /** @type {{ Volumes: { Name: string }[] | null }} */
  const list = await askEngine("/volumes");
  return (list.Volumes ?? []).map(({ Name }) => `volume ${Name}`);
}

/** @param {TestRun} run */
async function firewallRules({ enter }) {
  const save = findCommand("iptables-save");
  if (save === undefined) return [];
  const [command = "", ...words] = [...enter, save];
  const { output } = await tryCommand(command, words);
  return output.split("\n").filter((line) => /longshore/i.test(line)).map((line) => `firewall rule ${line}`);
}

function networkNamespaces() {
  const folder = "/run/netns";
  return existsSync(folder) ? readdirSync(folder).map((name) => `network namespace ${name}`) : [];
}

/** @param {TestRun} run */
function temporaryFolders({ temporaryFolder }) {
  return readdirSync(temporaryFolder).filter((name) => name.startsWith("longshore")).map((name) => `temporary folder ${name}`);
}

/** Processes that the run started: they bear its mark, or work in its temporary folder. @param {TestRun} run */
function processes({ mark, temporaryFolder }) {
  if (!existsSync("/proc/self")) return [];
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((id) => {
    try {
      const command = readFileSync(`/proc/${id}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      const isOurs = command.includes(temporaryFolder) || readFileSync(`/proc/${id}/environ`, "utf8").includes(mark);
      return isOurs ? [`process ${id}: ${command.slice(0, 200)}`] : [];
    } catch {
      return []; // It ended while we looked.
    }
  });
}

/** @param {string} path @returns {Promise<any>} */
function askEngine(path) {
  return new Promise((resolve, reject) => {
    get({ ...engineAddress(), path }, async (response) => {
      try {
        let text = "";
        for await (const chunk of response.setEncoding("utf8")) text += chunk;
        resolve(JSON.parse(text));
      } catch (error) {
        reject(error);
      }
    }).on("error", reject);
  });
}

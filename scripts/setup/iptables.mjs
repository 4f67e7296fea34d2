import { findCommand } from "./machine.mjs";
import { runCommand, tryCommand } from "./run-command.mjs";

/**
 * Makes `iptables` mean a variant that this kernel has. Debian's default speaks nf_tables; some kernels only have the older tables, and
 * dockerd cannot make its networks without either.
 * @param {(doing: string) => void} say
 */
export async function chooseIptables(say) {
  if (await works("iptables")) return;
  const legacy = findCommand("iptables-legacy");
  if (legacy === undefined || !(await works("iptables-legacy"))) return;
  say("switching iptables to iptables-legacy, since this kernel has no nf_tables");
  await runCommand("update-alternatives", ["--set", "iptables", legacy]);
  const legacyIpv6 = findCommand("ip6tables-legacy");
  if (legacyIpv6 !== undefined) await runCommand("update-alternatives", ["--set", "ip6tables", legacyIpv6]);
}

async function works(/** @type {string} */ name) {
  const path = findCommand(name);
  return path !== undefined && (await tryCommand(path, ["--table", "nat", "--list", "--numeric"])).ok;
}

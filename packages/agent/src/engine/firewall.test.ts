import { describe, expect, it } from "vitest";
import { createFirewall, type FirewallPlan, rulesText, type RunProgram } from "./firewall.ts";

const plan: FirewallPlan = { hash: "0a1b2c3d", bridges: ["ls0a1b2c3di", "ls0a1b2c3de"], open: [{ port: 4999 }, { address: "172.18.0.1", port: 5001 }] };

/** A filter table in memory: enough of iptables to see what is added and what is left. */
function createTables({ userChain = true } = {}) {
  const jumps = ["INPUT -i eth0 -j SOMEBODYS"];
  const chains = new Set(userChain ? ["DOCKER-USER"] : []);
  const run: RunProgram = async (program, args, input) => {
    if (program === "iptables-restore") {
      for (const match of (input ?? "").matchAll(/^:(\S+)/gm)) chains.add(match[1] ?? "");
      return { exitCode: 0, stderr: "" };
    }
    const [verb, ...rule] = args.filter((arg) => arg !== "-w" && arg !== "10" && arg !== "-n");
    const text = rule.join(" ");
    const known = jumps.includes(text);
    const done = { "-C": () => known, "-I": () => jumps.unshift(text) > 0, "-D": () => known && jumps.splice(jumps.indexOf(text), 1).length > 0, "-L": () => chains.has(text), "-F": () => chains.has(text), "-X": () => chains.delete(text) }[verb ?? ""];
    return { exitCode: done?.() === true ? 0 : 1, stderr: "" };
  };
  return { run, jumps, chains };
}

describe("rulesText()", () => {
  it("lets answers and open ports through, and nothing else to the host", () => {
    expect(rulesText(plan).split("\n").filter((line) => line.startsWith("-A LONGSHORE-0a1b2c3d "))).toEqual([
      "-A LONGSHORE-0a1b2c3d -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
      "-A LONGSHORE-0a1b2c3d -p tcp -m tcp --dport 4999 -j ACCEPT",
      "-A LONGSHORE-0a1b2c3d -d 172.18.0.1/32 -p tcp -m tcp --dport 5001 -j ACCEPT",
      "-A LONGSHORE-0a1b2c3d -j DROP",
    ]);
  });
});

describe("createFirewall()", () => {
  it("adds each jump once, however often it is applied", async () => {
    const tables = createTables();
    const firewall = createFirewall(plan, tables.run);
    expect([await firewall.apply(), await firewall.apply()]).toEqual([undefined, undefined]);
    expect(tables.jumps.sort()).toEqual([
      "DOCKER-USER -i ls0a1b2c3de -j LONGSHORE-0a1b2c3d-META",
      "DOCKER-USER -i ls0a1b2c3di -j LONGSHORE-0a1b2c3d-META",
      "INPUT -i eth0 -j SOMEBODYS",
      "INPUT -i ls0a1b2c3de -j LONGSHORE-0a1b2c3d",
      "INPUT -i ls0a1b2c3di -j LONGSHORE-0a1b2c3d",
    ]);
  });

  it.each([true, false])("takes away what it added and nothing else (DOCKER-USER there: %s)", async (userChain) => {
    const tables = createTables({ userChain });
    const firewall = createFirewall(plan, tables.run);
    await firewall.apply();
    if (!userChain) expect(tables.jumps).toContain("FORWARD -i ls0a1b2c3de -j LONGSHORE-0a1b2c3d-META");
    await firewall.remove();
    await firewall.remove();
    expect(tables.jumps).toEqual(["INPUT -i eth0 -j SOMEBODYS"]);
    expect([...tables.chains]).toEqual(userChain ? ["DOCKER-USER"] : []);
  });

  it("says what it cannot do instead of failing", async () => {
    const missing = createFirewall(plan, async () => ({ exitCode: "missing", stderr: "" }));
    expect(await missing.apply()).toContain("iptables is not installed");
    await missing.remove();
    const refused = createFirewall(plan, async () => ({ exitCode: 4, stderr: "Permission denied (you must be root)\n" }));
    expect(await refused.apply()).toContain("Permission denied (you must be root)");
  });
});

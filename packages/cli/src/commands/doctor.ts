import { defineCommand } from "../command-line/command.ts";
import { wrap } from "../command-line/help.ts";
import { defaultDataFolder } from "../data-folder.ts";
import { judgeEngine } from "../doctor/engine-findings.ts";
import type { Finding } from "../doctor/finding.ts";
import { judgeBroker, judgeNatsServer } from "../doctor/fleet-findings.ts";
import { judgeHost } from "../doctor/host-findings.ts";
import { judgeQueue } from "../doctor/queue-findings.ts";
import { lookAtBroker, lookAtEngine, lookAtHost, lookAtNatsServer } from "../doctor/look.ts";
import { exitCodes } from "../exit-code.ts";
import { inert, inertJson } from "../terminal/inert.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { whileWorking } from "../terminal/working.ts";

/** `longshore doctor` */
export const doctor = defineCommand({
  path: ["doctor"],
  summary: "Look at this host: what runs, what is missing, how to mend it",
  description: "Exit code 0 when nothing fails (warnings included), else 3.",
  options: {
    deep: { summary: "Also compare what bus, brokers and agents say of accepted work" },
    data: { value: "DIR", summary: "Folder whose free space matters (LONGSHORE_DATA; default /var/lib/longshore)" },
  },
  arguments: {},
  examples: [
    ["longshore doctor", "Before longshore up or longshore join"],
    ["longshore doctor --url https://broker.plant:4270", "Also whether that broker is reached, and its clock"],
    ["longshore doctor --deep", "Also what became of accepted work: what waits and why, who has what, what nobody has"],
  ],
  run: async ({ options }, { terminal, environment, connection, fleet, json }) => {
    const engine = await whileWorking({ terminal, json }, "Looking at the engine", lookAtEngine());
    const folders = [options.data ?? defaultDataFolder(environment), ...(engine.dataFolder === undefined ? [] : [engine.dataFolder])];
    const queue = options.deep ? fleet().queue.get().catch((error: unknown) => (error as Error).message) : undefined;
    const [host, natsServer, broker] = await whileWorking({ terminal, json }, "Looking at this host and the broker", Promise.all([lookAtHost(folders), lookAtNatsServer(environment), lookAtBroker(connection.url)]));
    const findings = [...judgeHost(host), ...judgeEngine(engine.facts), judgeNatsServer(natsServer), ...judgeBroker(connection.url, broker), ...(queue === undefined ? [] : judgeQueue(await queue))];
    const failed = findings.filter(({ status }) => status === "fail").length;
    if (json) terminal.print(inertJson({ findings }));
    else for (const finding of findings) printFinding(finding, terminal);
    return failed === 0 ? exitCodes.succeeded : exitCodes.unavailable;
  },
});

function printFinding({ name, status, found, mend }: Finding, terminal: Terminal): void {
  const { style } = terminal;
  const paint = { ok: style.green, warn: style.yellow, fail: style.red }[status];
  terminal.print(`${paint(status.padEnd(4))}  ${name.padEnd(12)}  ${inert(found)}`);
  if (mend !== undefined) terminal.print(style.dim(wrap(inert(mend), terminal.columns(), " ".repeat(20))));
}

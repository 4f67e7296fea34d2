import type { RegistryView } from "@longshore/protocol";
import { text } from "node:stream/consumers";
import { defineCommand } from "../command-line/command.ts";
import { UsageError } from "../command-line/usage-error.ts";
import { inert, inertJson } from "../terminal/inert.ts";
import { formatAge } from "../terminal/quantity.ts";
import { type Column, renderTable } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

const example = "longshore registry login registry.plant:5000 -u robot --password-stdin < password.txt";

/** `longshore registry login` */
export const registryLogin = defineCommand({
  path: ["registry", "login"],
  summary: "Set the credentials that images of a registry are pulled with",
  description:
    "The fleet keeps them sealed, shows them to nobody, and gives them to an agent only to pull an image of that registry. " +
    "Whether they are right shows at the next pull. Docker Hub's host is docker.io.",
  options: {
    username: { value: "USER", short: "u", summary: "Account at the registry" },
    passwordStdin: { summary: "Read the password or token from stdin; a newline at its end is left off" },
  },
  arguments: { host: { summary: "The registry's host as images name it, with its port where it has one" } },
  examples: [[example, "From a file"]],
  run: async ({ args, options }, { fleet, terminal, json }) => {
    if (options.username === undefined) throw new UsageError("Cannot log in: --username is missing", example);
    // A password among a command's arguments stands in the process list and in the shell's history.
    if (!options.passwordStdin || terminal.isInputTerminal) throw new UsageError("Cannot log in: the password is given on stdin, with --password-stdin", example);
    const registry = await fleet().registries.set(args.host, { username: options.username, password: await readPassword(terminal) });
    terminal.print(json ? inertJson(registry) : `Images of ${inert(registry.host)} are pulled as ${inert(registry.username)}`);
  },
});

/** `longshore registry logout` */
export const registryLogout = defineCommand({
  path: ["registry", "logout"],
  summary: "Forget the credentials for a registry",
  options: {},
  arguments: { host: { summary: "The registry's host" } },
  examples: [["longshore registry logout registry.plant:5000", "Images that are there already stay"]],
  run: async ({ args }, { fleet, terminal, json }) => {
    await fleet().registries.remove(args.host);
    terminal.print(json ? inertJson({ removed: args.host }) : `Forgot the credentials for ${inert(args.host)}`);
  },
});

/** `longshore registry ls` */
export const registryLs = defineCommand({
  path: ["registry", "ls"],
  summary: "List the registries that there are credentials for",
  options: {},
  arguments: {},
  examples: [["longshore registry ls", "Hosts and accounts; never passwords"]],
  run: async (_input, { fleet, terminal, json, now }) => {
    const registries = await fleet().registries.list();
    if (json) terminal.print(inertJson({ registries }));
    else if (registries.length === 0) terminal.note("There are no credentials: every registry is asked anonymously. longshore registry login HOST sets some");
    else terminal.print(renderTable(columnsAt(now()), registries, terminal.style));
  },
});

function columnsAt(nowMs: number): readonly Column<RegistryView>[] {
  return [
    { title: "REGISTRY", cell: ({ host }) => host },
    { title: "USER", cell: ({ username }) => username },
    { title: "SET", cell: ({ updatedAt }) => `${formatAge(updatedAt, nowMs)} ago` },
  ];
}

async function readPassword({ input }: Terminal): Promise<string> {
  const password = (await text(input)).replace(/\r?\n$/, "");
  if (password === "") throw new UsageError("Cannot log in: stdin holds no password", example);
  return password;
}

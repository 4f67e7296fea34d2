import type { AwsKeyView } from "@longshore/protocol";
import { defineCommand } from "../command-line/command.ts";
import { inertJson } from "../terminal/inert.ts";
import { formatAge } from "../terminal/quantity.ts";
import { type Column, renderTable } from "../terminal/table.ts";

/** `longshore aws-key create` */
export const awsKeyCreate = defineCommand({
  path: ["aws-key", "create"],
  summary: "Make a key pair for AWS's clients, to invoke functions with",
  description:
    "Prints lines for a shell, which AWS's SDKs and command line read; older ones want --endpoint-url besides. " +
    "The secret is shown this once. Any region will do.",
  options: {},
  arguments: {},
  examples: [
    ['eval "$(longshore aws-key create)"', "For this shell"],
    ["aws lambda invoke --function-name resize answer.json", "Then invoke"],
  ],
  run: async (_input, { fleet, terminal, json, connection }) => {
    const key = await fleet().awsKeys.create();
    if (json) return terminal.print(inertJson({ ...key, endpointUrl: connection.url }));
    const variables = { AWS_ACCESS_KEY_ID: key.accessKeyId, AWS_SECRET_ACCESS_KEY: key.secretAccessKey, AWS_REGION: "us-east-1", AWS_DEFAULT_REGION: "us-east-1", AWS_ENDPOINT_URL_LAMBDA: connection.url };
    for (const [name, value] of Object.entries(variables)) terminal.print(`export ${name}=${shellWord(value)}`);
    terminal.note(terminal.errStyle.dim("The secret is not shown again; longshore aws-key rm takes the pair back."));
  },
});

/** `longshore aws-key ls` */
export const awsKeyLs = defineCommand({
  path: ["aws-key", "ls"],
  summary: "List the key pairs for AWS's clients",
  options: {},
  arguments: {},
  examples: [["longshore aws-key ls", "Ids and ages; never secrets"]],
  run: async (_input, { fleet, terminal, json, now }) => {
    const awsKeys = await fleet().awsKeys.list();
    if (json) terminal.print(inertJson({ awsKeys }));
    else if (awsKeys.length === 0) terminal.note("There are no key pairs; longshore aws-key create makes one");
    else terminal.print(renderTable(columnsAt(now()), awsKeys, terminal.style));
  },
});

/** `longshore aws-key rm` */
export const awsKeyRm = defineCommand({
  path: ["aws-key", "rm"],
  summary: "Delete a key pair: what is signed with it is refused from now on",
  options: {},
  arguments: { id: { summary: "Its access key id" } },
  examples: [["longshore aws-key rm LSAKABCDEFGHIJKLMNOP", "Take one back"]],
  run: async ({ args }, { fleet, terminal, json }) => {
    await fleet().awsKeys.remove(args.id);
    terminal.print(json ? inertJson({ removed: args.id }) : `Deleted ${args.id}`);
  },
});

/** One word to a shell, whatever is in it: the lines are run, and what a broker says is not the user's. */
function shellWord(value: string): string {
  return /^[\w./:@-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}

function columnsAt(nowMs: number): readonly Column<AwsKeyView>[] {
  return [
    { title: "ACCESS KEY", cell: ({ accessKeyId }) => accessKeyId },
    { title: "MADE", cell: ({ createdAt }) => `${formatAge(createdAt, nowMs)} ago` },
  ];
}

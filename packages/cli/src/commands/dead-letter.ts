import { type DeadLetter, functionNameSchema, invocationIdSchema, parseName, type UnreadableInvocation } from "@longshore/protocol";
import { defineCommand } from "../command-line/command.ts";
import { UsageError } from "../command-line/usage-error.ts";
import { bodyField } from "../invocation/answer-document.ts";
import { printBody } from "../invocation/print-body.ts";
import { describeResult } from "../invocation/tell.ts";
import { inert, inertJson } from "../terminal/inert.ts";
import { formatAge, formatBytes } from "../terminal/quantity.ts";
import { type Column, renderTable } from "../terminal/table.ts";
import { whileWorking } from "../terminal/working.ts";

const id = { summary: "The id of the invocation that did not succeed" };
const example = "0197a7c6-5f3e-7b12-9c58-0d8a4be3f001";
const readId = (text: string) => parseName(invocationIdSchema, text, "ID");

/** `longshore dead-letter ls` */
export const deadLetterLs = defineCommand({
  path: ["dead-letter", "ls"],
  summary: "List accepted invocations that did not succeed",
  description: "They are kept for 14 days, with the reason of every attempt and what their callers sent.",
  options: { function: { value: "NAME", summary: "Only those of this function" } },
  arguments: {},
  examples: [["longshore dead-letter ls --function resize", "What could be submitted again"]],
  run: async ({ options }, { fleet, terminal, json, now }) => {
    const deadLetters: DeadLetter[] = [];
    const unreadable: UnreadableInvocation[] = [];
    const onUnreadable = (each: UnreadableInvocation) => void unreadable.push(each);
    for await (const letter of fleet().deadLetters.each({ onUnreadable, ...(options.function !== undefined && { function: options.function }) })) deadLetters.push(letter);
    for (const { invocationId, functionName } of unreadable) terminal.note(`Cannot read dead letter ${invocationId} of "${inert(functionName)}": it was damaged, or written by another version`);
    if (json) terminal.print(inertJson({ deadLetters, ...(unreadable.length > 0 && { unreadable }) }));
    else if (deadLetters.length + unreadable.length === 0) terminal.note("There are no dead letters: what was accepted has succeeded, or has not ended");
    else if (deadLetters.length > 0) terminal.print(renderTable(columnsAt(now()), deadLetters, terminal.style));
  },
});

function columnsAt(nowMs: number): readonly Column<DeadLetter>[] {
  return [
    { title: "ID", cell: ({ record }) => record.invocationId },
    { title: "FUNCTION", cell: ({ record }) => inert(record.functionName) },
    { title: "OUTCOME", cell: ({ record }) => record.result.outcome },
    { title: "ATTEMPTS", cell: ({ record }) => String((record.past?.length ?? 0) + 1) },
    { title: "ENDED", cell: ({ record }) => `${formatAge(record.finishedAt, nowMs)} ago` },
    { title: "BYTES", cell: ({ record }) => formatBytes(record.payloadBytes) },
  ];
}

/** `longshore dead-letter show` */
export const deadLetterShow = defineCommand({
  path: ["dead-letter", "show"],
  summary: "Show why an accepted invocation did not succeed, attempt by attempt",
  options: {},
  arguments: { id },
  examples: [[`longshore dead-letter show ${example}`, "Every attempt's end, and how it was called"]],
  run: async ({ args }, { fleet, terminal, json }) => {
    const letter = await fleet().deadLetters.get(readId(args.id));
    if (json) return terminal.print(inertJson(letter));
    const { record, request } = letter;
    terminal.print(inert(`${record.functionName} ${request.method} ${request.target}, ${formatBytes(record.payloadBytes)}, accepted ${record.acceptedAt}`));
    for (const { attempt, siteId, agentId, endedAt, result } of record.past ?? []) {
      terminal.print(inert(`attempt ${attempt} at ${siteId}/${agentId}, ended ${endedAt}`));
      for (const line of describeResult(record.functionName, result)) terminal.print(`  ${line}`);
    }
    terminal.print(inert(`attempt ${record.attempt}${record.agentId === undefined ? "" : ` at ${record.siteId}/${record.agentId}`}, ended ${record.finishedAt}`));
    for (const line of describeResult(record.functionName, record.result)) terminal.print(`  ${line}`);
  },
});

/** `longshore dead-letter body` */
export const deadLetterBody = defineCommand({
  path: ["dead-letter", "body"],
  summary: "Write what its caller sent to stdout, byte for byte",
  options: {},
  arguments: { id },
  examples: [[`longshore dead-letter body ${example} > payload.json`, "To look at, or to mend"]],
  run: async ({ args }, { fleet, terminal, json }) => {
    const bytes = await fleet().deadLetters.body(readId(args.id));
    if (json) terminal.print(inertJson(bodyField(bytes)));
    else await printBody(new Blob([bytes as Uint8Array<ArrayBuffer>]).stream(), terminal);
  },
});

/** `longshore dead-letter redrive` */
export const deadLetterRedrive = defineCommand({
  path: ["dead-letter", "redrive"],
  summary: "Submit an invocation that did not succeed again, or all of a function",
  description: "Each becomes a new invocation; done twice, it is one.",
  options: { all: { value: "FUNCTION", summary: "All of this function, instead of one" } },
  arguments: { id: { ...id, optional: true } },
  examples: [
    [`longshore dead-letter redrive ${example}`, "One, once its cause is mended"],
    ["longshore dead-letter redrive --all resize", "Everything of a function"],
  ],
  run: async ({ args, options }, { fleet, terminal, json }) => {
    if ((args.id === undefined) === (options.all === undefined)) throw new UsageError("Cannot submit again: give an id, or --all FUNCTION", `longshore dead-letter redrive ${example}`);
    if (options.all !== undefined) {
      const name = parseName(functionNameSchema, options.all, "--all");
      const answer = await whileWorking({ terminal, json }, `Submitting what failed of ${name} again`, fleet().deadLetters.redriveAll(name));
      return terminal.print(json ? inertJson(answer) : `Submitted ${answer.redriven} again${answer.failed === 0 ? "" : `; ${answer.failed} could not be`}`);
    }
    const view = await fleet().deadLetters.redrive(readId(args.id ?? ""));
    terminal.print(json ? inertJson(view) : `Submitted again as ${"record" in view ? view.record.invocationId : view.invocationId}`);
  },
});

/** `longshore dead-letter rm` */
export const deadLetterRm = defineCommand({
  path: ["dead-letter", "rm"],
  summary: "Give an invocation that did not succeed up",
  options: {},
  arguments: { id },
  examples: [[`longshore dead-letter rm ${example}`, "Its record stays for its seven days"]],
  run: async ({ args }, { fleet, terminal, json }) => {
    const invocationId = readId(args.id);
    await fleet().deadLetters.remove(invocationId);
    terminal.print(json ? inertJson({ removed: invocationId }) : `Gave ${invocationId} up`);
  },
});

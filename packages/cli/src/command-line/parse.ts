import { parseArgs } from "node:util";
import { type ArgumentSpecs, type Command, flagOf, globalOptions, type OptionSpecs } from "./command.ts";
import { didYouMean } from "./suggest.ts";
import { UsageError } from "./usage-error.ts";

/** A command line taken apart against its command. */
export interface ParsedLine {
  readonly options: Readonly<Record<string, string | readonly string[] | boolean | undefined>>;
  readonly args: Readonly<Record<string, string | readonly string[]>>;
  readonly rest: readonly string[];
}

/** What the first words of a command line name. */
export type Found =
  | { readonly kind: "command"; readonly command: Command; readonly words: readonly string[] }
  /** Help was asked for, or nothing: of everything, or of a group such as `agent`. */
  | { readonly kind: "overview"; readonly group: string | undefined };

const helpWords = new Set(["help", "--help", "-h"]);

/** Finds the command that a command line names; global options may stand in front of it. Throws UsageError with the nearest one. */
export function findCommand(commands: readonly Command[], argv: readonly string[]): Found {
  const { before, after } = splitAtCommand(argv);
  const [first, second] = after;
  if (first === undefined || helpWords.has(first)) {
    return second === undefined ? { kind: "overview", group: undefined } : findHelp(commands, after.slice(1));
  }
  const single = commands.find((command) => command.path.length === 1 && command.path[0] === first);
  if (single !== undefined) return { kind: "command", command: single, words: [...before, ...after.slice(1)] };
  const group = commands.filter((command) => command.path[0] === first);
  if (group.length === 0) throw unknownWord(first, commands.map((command) => command.path[0] ?? ""), "longshore");
  if (second === undefined || helpWords.has(second)) return { kind: "overview", group: first };
  const command = group.find((candidate) => candidate.path[1] === second);
  if (command === undefined) throw unknownWord(second, group.map((candidate) => candidate.path[1] ?? ""), `longshore ${first}`);
  return { kind: "command", command, words: [...before, ...after.slice(2)] };
}

/** `help deploy` is `deploy --help`. */
function findHelp(commands: readonly Command[], words: readonly string[]): Found {
  const found = findCommand(commands, words);
  return found.kind === "command" ? { ...found, words: ["--help"] } : found;
}

function unknownWord(word: string, known: readonly string[], where: string): UsageError {
  return new UsageError(`Cannot run ${JSON.stringify(word)}: ${where} has no such command${didYouMean(word, [...new Set(known)])}`, `${where} --help lists them`);
}

const valuedGlobals = new Set(Object.entries(globalOptions).flatMap(([key, spec]) => ("value" in spec ? [flagOf(key)] : [])));

function splitAtCommand(argv: readonly string[]): { before: readonly string[]; after: readonly string[] } {
  let at = 0;
  while (at < argv.length && argv[at]?.startsWith("-") && !helpWords.has(argv[at] ?? "")) {
    at += valuedGlobals.has(argv[at] ?? "") ? 2 : 1;
  }
  return { before: argv.slice(0, at), after: argv.slice(at) };
}

/** Reads a command's words against its options and operands. Throws UsageError naming what is wrong. */
export function parseLine(command: Command, words: readonly string[]): ParsedLine {
  const specs: OptionSpecs = { ...globalOptions, ...command.options };
  const { tokens } = parseArgs({ args: [...words], options: parseOptions(specs), allowPositionals: true, strict: false, tokens: true });
  const keyOfFlag = new Map(Object.keys(specs).map((key) => [flagOf(key).slice(2), key]));
  const options = emptyOptions(specs);
  const operands: string[] = [];
  const rest: string[] = [];
  let isRest = false;
  for (const token of tokens) {
    if (token.kind === "option-terminator") isRest = true;
    else if (token.kind === "positional") (isRest ? rest : operands).push(token.value);
    else takeOption(token, keyOfFlag.get(token.name), specs, options);
  }
  // Help is given whatever else is missing.
  if (options["help"] === true) return { options, args: {}, rest };
  if (isRest && command.rest === undefined) operands.push(...rest.splice(0));
  return { options, args: takeOperands(command, operands), rest };
}

function parseOptions(specs: OptionSpecs): Record<string, { type: "string" | "boolean"; short?: string; multiple: true }> {
  return Object.fromEntries(
    Object.entries(specs).map(([key, spec]) => [
      flagOf(key).slice(2),
      { type: spec.value === undefined ? "boolean" : "string", multiple: true, ...(spec.short !== undefined && { short: spec.short }) } as const,
    ]),
  );
}

function emptyOptions(specs: OptionSpecs): Record<string, string | string[] | boolean | undefined> {
  return Object.fromEntries(
    Object.entries(specs).map(([key, spec]) => [key, spec.value === undefined ? false : spec.repeat === true ? [] : undefined]),
  );
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function takeOption(token: OptionToken, key: string | undefined, specs: OptionSpecs, options: Record<string, string | string[] | boolean | undefined>): void {
  const spec = key === undefined ? undefined : specs[key];
  if (key === undefined || spec === undefined) {
    throw new UsageError(`Cannot read the command line: there is no option ${token.rawName}${didYouMean(token.rawName, Object.keys(specs).map(flagOf))}`);
  }
  if (spec.value === undefined) {
    if (token.value !== undefined) throw new UsageError(`Cannot read ${token.rawName}: it takes no value`);
    options[key] = true;
    return;
  }
  const value = takeValue(token, spec.value, specs);
  const present = options[key];
  if (Array.isArray(present)) present.push(value);
  else if (present === undefined) options[key] = value;
  else throw new UsageError(`Cannot read ${token.rawName}: it was given twice`);
}

/** An option right behind an option is a forgotten value, not a value. */
function takeValue(token: OptionToken, placeholder: string, specs: OptionSpecs): string {
  const { value, rawName } = token;
  if (value === undefined) throw new UsageError(`Cannot read ${rawName}: it needs a value, ${rawName} ${placeholder}`);
  const isOption = Object.entries(specs).some(([key, spec]) => value === flagOf(key) || value === `-${spec.short}`);
  if (token.inlineValue !== true && isOption) {
    throw new UsageError(`Cannot read ${rawName}: it needs a value, and ${value} follows`, `write ${rawName}=${value} if that is the value`);
  }
  return value;
}

function takeOperands(command: Command, operands: readonly string[]): Record<string, string | readonly string[]> {
  const specs: ArgumentSpecs = command.arguments;
  const keys = Object.keys(specs);
  const name = command.path.join(" ");
  const last = keys.at(-1);
  const repeated = last !== undefined && specs[last]?.repeat === true ? last : undefined;
  const extra = repeated === undefined ? operands[keys.length] : undefined;
  if (extra !== undefined) {
    throw new UsageError(`Cannot run ${name}: ${JSON.stringify(extra)} is one argument too many`, `longshore ${name} --help shows what it takes`);
  }
  const missing = keys.slice(operands.length).find((key) => specs[key]?.optional !== true);
  if (missing !== undefined) throw new UsageError(`Cannot run ${name}: ${missing.toUpperCase()} is missing`, `longshore ${name} --help shows what it takes`);
  const single = keys.filter((key) => key !== repeated);
  const given = Object.fromEntries(single.slice(0, operands.length).map((key, index) => [key, operands[index] ?? ""]));
  return repeated === undefined ? given : { ...given, [repeated]: operands.slice(single.length) };
}

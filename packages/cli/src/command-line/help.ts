import type { Style } from "../terminal/style.ts";
import { textWidth } from "../terminal/text-width.ts";
import { type Command, flagOf, globalOptions, type OptionSpec, type OptionSpecs } from "./command.ts";

/** How help is laid out: columns to fill, and whether in colour. */
export interface HelpLayout {
  readonly columns: number;
  readonly style: Style;
}

/** The page of one command. */
export function commandHelp(command: Command, layout: HelpLayout): string {
  const args = Object.entries(command.arguments);
  const sections = [
    `Usage: ${usageOf(command)}`,
    wrap(`${command.summary}.`, layout.columns, ""),
    ...(command.description === undefined ? [] : command.description.split("\n\n").map((paragraph) => wrap(paragraph, layout.columns, ""))),
    section("Arguments", [
      ...args.map(([key, spec]) => [key.toUpperCase(), spec.summary] as const),
      ...(command.rest === undefined ? [] : [[`-- ${command.rest.value}`, command.rest.summary] as const]),
    ], layout),
    section("Options", optionRows(command.options), layout),
    section("Options of every command", optionRows(globalOptions), layout),
    section("Examples", command.examples.map(([line, meaning]) => [line, meaning] as const), layout, true),
  ];
  return sections.filter((text) => text !== "").join("\n\n");
}

/** The page of everything, or of one group such as `agent`. */
export function overview(commands: readonly Command[], group: string | undefined, layout: HelpLayout): string {
  const shown = group === undefined ? commands : commands.filter((command) => command.path[0] === group);
  const rows = shown.map((command) => [usageOf(command).replace(/^longshore /, "").replace(/ \[options\]/, ""), command.summary] as const);
  return [
    `Usage: longshore ${group ?? "COMMAND"} ${group === undefined ? "" : "COMMAND "}[options]`,
    ...(group === undefined ? ["Run container images as functions, on any host you own."] : []),
    section("Commands", rows, layout),
    section("Options of every command", optionRows(globalOptions), layout),
    `longshore ${group === undefined ? "" : `${group} `}COMMAND --help shows a command's options and examples.`,
  ].join("\n\n");
}

function usageOf(command: Command): string {
  const args = Object.entries(command.arguments).map(([key, spec]) => {
    const name = `${key.toUpperCase()}${spec.repeat === true ? "..." : ""}`;
    return spec.optional === true ? `[${name}]` : name;
  });
  const options = Object.keys(command.options).length > 0 ? ["[options]"] : [];
  return ["longshore", ...command.path, ...args, ...options, ...(command.rest === undefined ? [] : [`[-- ${command.rest.value}]`])].join(" ");
}

function optionRows(options: OptionSpecs): readonly (readonly [string, string])[] {
  return Object.entries(options).map(([key, spec]) => [nameOf(key, spec), `${spec.summary}${spec.repeat === true ? "; may be repeated" : ""}`]);
}

function nameOf(key: string, spec: OptionSpec): string {
  return `${spec.short === undefined ? "    " : `-${spec.short}, `}${flagOf(key)}${spec.value === undefined ? "" : ` ${spec.value}`}`;
}

/** A titled list of terms with their meanings beside them, or (`isStacked`, and where it is too narrow) below them. */
function section(title: string, rows: readonly (readonly [term: string, meaning: string])[], { columns, style }: HelpLayout, isStacked = false): string {
  if (rows.length === 0) return "";
  const termColumns = Math.min(34, Math.max(...rows.map(([term]) => textWidth(term))));
  const indent = " ".repeat(isStacked ? 6 : termColumns + 4);
  const lines = rows.map(([term, meaning]) => {
    const body = wrap(meaning, columns, indent);
    const isBelow = isStacked || textWidth(term) > termColumns;
    return isBelow ? `  ${term}\n${body}` : `  ${term.padEnd(termColumns)}  ${body.trimStart()}`;
  });
  return [style.bold(`${title}:`), ...lines].join("\n");
}

/** Breaks a paragraph at spaces so that each line fits; every line begins with `indent`. */
export function wrap(text: string, columns: number, indent: string): string {
  const room = Math.max(30, columns - indent.length);
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter((part) => part !== "")) {
    if (line !== "" && textWidth(line) + 1 + textWidth(word) > room) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((part) => indent + part).join("\n");
}

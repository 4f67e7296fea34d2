import type { ExitCode } from "../exit-code.ts";
import type { Context } from "./context.ts";

/** One option of a command. Its key in {@link OptionSpecs} is camel case; on the command line it is `--kebab-case`. */
export interface OptionSpec {
  /** What its value is, as help shows it: `SIZE`. A switch has none. */
  readonly value?: string;
  /** One letter: `-f`. */
  readonly short?: string;
  /** It may be given several times. */
  readonly repeat?: true;
  readonly summary: string;
}
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** One operand of a command, in order; its key is shown in capitals. */
export interface ArgumentSpec {
  readonly optional?: true;
  /** The last one may be given several times. */
  readonly repeat?: true;
  readonly summary: string;
}
export type ArgumentSpecs = Readonly<Record<string, ArgumentSpec>>;

type OptionValue<O> = O extends { readonly value: string }
  ? O extends { readonly repeat: true } ? readonly string[] : string | undefined
  : boolean;
/** Options as a command receives them: text where there is a value, else whether the switch was given. */
export type OptionValues<O> = { readonly [K in keyof O]: OptionValue<O[K]> };
/** Operands as a command receives them. */
export type ArgumentValues<A> = { readonly [K in keyof A]: A[K] extends { readonly repeat: true } ? readonly string[] : A[K] extends { readonly optional: true } ? string | undefined : string };

/** What a command line said to one command. */
export interface CommandInput<O, A> {
  readonly options: OptionValues<O>;
  readonly args: ArgumentValues<A>;
  /** Everything after `--`. */
  readonly rest: readonly string[];
}

export interface CommandDefinition<O extends OptionSpecs, A extends ArgumentSpecs> {
  /** `["agent", "ls"]` */
  readonly path: readonly string[];
  readonly summary: string;
  /** Further paragraphs for `--help`. */
  readonly description?: string;
  readonly options: O;
  readonly arguments: A;
  /** What may follow `--`, where something may. */
  readonly rest?: { readonly value: string; readonly summary: string };
  /** Command lines with what they do. */
  readonly examples: readonly (readonly [line: string, meaning: string])[];
  /** Does it; nothing returned means success. Throws UsageError or LongshoreError. */
  readonly run: (input: CommandInput<O, A>, context: Context) => Promise<ExitCode | void>;
}

/** A command as the table holds it, its own types forgotten: the parser makes what {@link CommandDefinition} asks for. */
export type Command = CommandDefinition<OptionSpecs, ArgumentSpecs>;

/** Declares a command with its options' and operands' types inferred. */
export function defineCommand<const O extends OptionSpecs, const A extends ArgumentSpecs>(definition: CommandDefinition<O, A>): Command {
  return definition as unknown as Command;
}

/** `startTimeout` as `--start-timeout`. */
export function flagOf(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Options that every command takes. */
export const globalOptions = {
  url: { value: "URL", summary: "Where a broker listens (LONGSHORE_URL; default http://127.0.0.1:4270)" },
  key: { value: "KEY", summary: "API key (LONGSHORE_KEY)" },
  ca: { value: "FILE", summary: "Authority (PEM) that the broker's certificate comes from (LONGSHORE_CA)" },
  json: { summary: "Write one JSON document, or JSON lines, to stdout" },
  help: { short: "h", summary: "Show this help" },
} as const satisfies OptionSpecs;

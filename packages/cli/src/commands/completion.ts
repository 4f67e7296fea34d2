import { type Command, defineCommand, flagOf, globalOptions } from "../command-line/command.ts";
import { UsageError } from "../command-line/usage-error.ts";

/** A bash script that completes commands and options of a table. */
export function bashCompletion(commands: readonly Command[]): string {
  const firstWords = [...new Set(commands.map((command) => command.path[0] ?? ""))];
  const cases = firstWords.flatMap((first) => {
    const group = commands.filter((command) => command.path[0] === first);
    const seconds = group.flatMap((command) => command.path[1] ?? []);
    const own = group.map((command) => `    "${command.path.join(" ")}") words="${optionsOf(command).join(" ")}" ;;`);
    return seconds.length > 0 ? [`    "${first}") words="${seconds.join(" ")}" ;;`, ...own] : own;
  });
  return `# longshore completion bash > /etc/bash_completion.d/longshore
_longshore() {
  local current="\${COMP_WORDS[COMP_CWORD]}" first="\${COMP_WORDS[1]}" path words
  path="$first"
  case "$first" in ${firstWords.filter((first) => commands.some(({ path }) => path[0] === first && path.length > 1)).join("|")}) [ "$COMP_CWORD" -gt 2 ] && path="$first \${COMP_WORDS[2]}" ;; esac
  [ "$COMP_CWORD" -eq 1 ] && path=""
  case "$path" in
    "") words="${firstWords.join(" ")}" ;;
${cases.join("\n")}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _longshore longshore
`;
}

function optionsOf(command: Command): readonly string[] {
  return [...Object.keys(command.options), ...Object.keys(globalOptions)].map(flagOf);
}

/** `longshore completion`, for the table that it stands in. */
export function completionFor(commands: () => readonly Command[]): Command {
  return defineCommand({
    path: ["completion"],
    summary: "Write a completion script for a shell",
    options: {},
    arguments: { shell: { summary: "bash" } },
    examples: [["source <(longshore completion bash)", "For this session"]],
    run: async ({ args }, { terminal }) => {
      if (args.shell !== "bash") throw new UsageError(`Cannot complete for ${JSON.stringify(args.shell)}: only bash is known`);
      terminal.out.write(bashCompletion(commands()));
    },
  });
}

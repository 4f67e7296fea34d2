import { LongshoreError, type Revision } from "@longshore/protocol";

/**
 * The program of a revision with its arguments, chosen as Docker does: the revision's `command` stands for the image's entrypoint and
 * drops the image's own arguments; `args` stand for these.
 */
export function programOf(revision: Revision): string[] {
  const { command, args } = revision.spec;
  const { entrypoint, command: imageArguments } = revision.image;
  const program = [...(command ?? entrypoint), ...(args ?? (command === undefined ? imageArguments : []))];
  if (program.length === 0) {
    throw new LongshoreError("image_has_no_command", `Cannot start instance of "${revision.functionName}": its image has neither entrypoint nor command`, { phase: "startup" });
  }
  return program;
}

/** `NAME=value` of a record. */
export function environmentOf(variables: Readonly<Record<string, string>>): string[] {
  return Object.entries(variables).map(([name, value]) => `${name}=${value}`);
}

/** Places in an agent's course, at each of which tests have it killed to see what is left then. */
export const agentFailpoints = [
  /** An accepted attempt's start is on disk, and nothing of it has gone to its image. */
  "after_start_record",
  /** What became of it is known, and nothing of that is on disk. */
  "after_container_exit",
  /** What became of it is on disk, and no broker was told. */
  "after_outbox_fsync",
] as const;
export type AgentFailpoint = (typeof agentFailpoints)[number];

/** A failpoint as a setting: its name, or `name:N` for its Nth passing. */
export const agentFailpointPattern = new RegExp(`^(${agentFailpoints.join("|")})(:[1-9]\\d{0,5})?$`);

let armed: { readonly name: string; passingsLeft: number } | undefined;

/** Arms the failpoint that a setting names, for the rest of this process; undefined: none. */
export function armFailpoint(setting: string | undefined): void {
  const [name = "", passings = "1"] = setting?.split(":") ?? [];
  armed = setting === undefined ? undefined : { name, passingsLeft: Number(passings) };
}

/** The process is there: where it is armed, its time comes here, as by `kill -9`. */
export function passFailpoint(name: AgentFailpoint): void {
  if (armed?.name !== name) return;
  armed.passingsLeft -= 1;
  if (armed.passingsLeft === 0) process.kill(process.pid, "SIGKILL");
}

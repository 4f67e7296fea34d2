/** Places in a broker's course, at each of which tests have it killed to see what is left then. */
export const brokerFailpoints = [
  /** An accepted entry's synced write is acknowledged, and its 202 is not sent. */
  "after_puback",
  /** The 202 is with the system, and nothing else is done. */
  "after_202",
  /** A claim is stored, and its order is not sent. */
  "after_claim",
  /** An outcome is stored, and its agent was not told. */
  "after_record",
] as const;
export type BrokerFailpoint = (typeof brokerFailpoints)[number];

/** A failpoint as a setting: its name, or `name:N` for its Nth passing. */
export const brokerFailpointPattern = new RegExp(`^(${brokerFailpoints.join("|")})(:[1-9]\\d{0,5})?$`);

let armed: { readonly name: string; passingsLeft: number } | undefined;

/** Arms the failpoint that a setting names, for the rest of this process; undefined: none. */
export function armFailpoint(setting: string | undefined): void {
  const [name = "", passings = "1"] = setting?.split(":") ?? [];
  armed = setting === undefined ? undefined : { name, passingsLeft: Number(passings) };
}

/** The process is there: where it is armed, its time comes here, as by `kill -9`. */
export function passFailpoint(name: BrokerFailpoint): void {
  if (armed?.name !== name) return;
  armed.passingsLeft -= 1;
  if (armed.passingsLeft === 0) process.kill(process.pid, "SIGKILL");
}

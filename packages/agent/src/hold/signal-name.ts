/** Linux' signals in the order of their numbers: those of instances, whatever the agent itself runs on. */
const names = [
  "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT",
  "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/** `SIGSEGV` for 11; undefined for what is no signal's number, and for real-time signals, which have none of their own. */
export function signalName(signal: number): string | undefined {
  const name = names[signal - 1];
  return name === undefined ? undefined : `SIG${name}`;
}

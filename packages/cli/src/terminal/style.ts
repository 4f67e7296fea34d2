/** Colours and weights; each does nothing where they are off. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly magenta: (text: string) => string;
  readonly cyan: (text: string) => string;
}

const sequences: Record<keyof Style, readonly [on: number, off: number]> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  magenta: [35, 39],
  cyan: [36, 39],
};

/** A style that colours, or one that leaves text as it is. */
export function createStyle(hasColour: boolean): Style {
  const paint = (name: keyof Style) => {
    const [on, off] = sequences[name];
    return (text: string) => (hasColour && text !== "" ? `\u001b[${on}m${text}\u001b[${off}m` : text);
  };
  return { bold: paint("bold"), dim: paint("dim"), red: paint("red"), green: paint("green"), yellow: paint("yellow"), magenta: paint("magenta"), cyan: paint("cyan") };
}

/** Whether a stream takes colours: it is a terminal that can, and nobody said no (NO_COLOR of no-color.org; FORCE_COLOR says yes). */
export function wantsColour(isTerminal: boolean, environment: NodeJS.ProcessEnv): boolean {
  if (environment["NO_COLOR"]) return false;
  if (environment["FORCE_COLOR"] && environment["FORCE_COLOR"] !== "0") return true;
  return isTerminal && environment["TERM"] !== "dumb";
}

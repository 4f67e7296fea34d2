const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const clearLine = "\r\x1b[2K";
const out = process.stderr;

/**
 * One line on stderr for one step: live on a terminal, else written as it goes. Standard output stays with the command that follows.
 * @param {string} name
 */
export function createStep(name) {
  const startedAt = performance.now();
  const isLive = out.isTTY === true;
  let doing = "";
  let frame = 0;
  const draw = () => {
    const line = `${frames[frame++ % frames.length]} ${name}: ${doing} (${seconds(startedAt)})`;
    out.write(clearLine + line.slice(0, (out.columns || 80) - 1));
  };
  if (!isLive) out.write(`  ${name}: `);
  const timer = isLive ? setInterval(draw, 100) : undefined;

  return {
    /** Says what is being done now. @param {string} text */
    say(text) {
      doing = text;
      if (isLive) draw();
      else out.write(`${text}; `);
    },
    /** Ends the line with what is there now. @param {string} result */
    done(result) {
      clearInterval(timer);
      if (isLive) out.write(`${clearLine}✔ ${name}: ${result} (${seconds(startedAt)})\n`);
      else out.write(`${result} (${seconds(startedAt)})\n`);
    },
    /** Ends the line; the reason is told elsewhere. */
    failed() {
      clearInterval(timer);
      if (isLive) out.write(`${clearLine}✘ ${name}: ${doing} (${seconds(startedAt)})\n`);
      else out.write(`failed (${seconds(startedAt)})\n`);
    },
  };
}

/** Prints a line of its own on stderr. @param {string} text */
export function note(text) {
  out.write(`${text}\n`);
}

/** Seconds since a moment of `performance.now()`, for people. @param {number} sinceMs */
export function seconds(sinceMs) {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
}

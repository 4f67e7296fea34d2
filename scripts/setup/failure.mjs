/** Set-up cannot go on, for a reason a person can act on. The message says what failed; `output` is the end of what the tool printed. */
export class SetupFailure extends Error {
  /**
   * @param {string} message
   * @param {{ output?: string, advice?: string }} [details]
   */
  constructor(message, details = {}) {
    super(message);
    this.output = tail(details.output ?? "");
    this.advice = details.advice ?? "";
  }
}

/** The last lines of a tool's output: enough to see why it failed. */
function tail(/** @type {string} */ output, lines = 20) {
  return output.trimEnd().split("\n").slice(-lines).join("\n");
}

/** The command line itself, or a file it names, is wrong: exit code 2, and nothing was sent anywhere. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** What to do instead, for people. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

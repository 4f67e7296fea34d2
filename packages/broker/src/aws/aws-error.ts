/** What AWS's clients are told instead of an answer: they know errors by `type`. */
export class AwsError extends Error {
  override readonly name = "AwsError";
  /** `ResourceNotFoundException` */
  readonly type: string;
  /** HTTP status. */
  readonly status: number;
  /** Further fields of the answer. */
  readonly details: Readonly<Record<string, string>>;

  constructor(type: string, status: number, message: string, details: Readonly<Record<string, string>> = {}) {
    super(message);
    this.type = type;
    this.status = status;
    this.details = details;
  }
}

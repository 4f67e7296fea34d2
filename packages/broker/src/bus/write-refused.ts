/** The stream refused a write: it stands where it stood. */
export class WriteRefused extends Error {
  override readonly name = "WriteRefused";
  /** JetStream's `err_code`. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }

  /** Something stands there that was not to: the condition of the write did not hold. */
  get isConflict(): boolean {
    return this.code === 10071 || this.code === 10164;
  }

  /** The server has no room, on disk or by a limit of stream or account. */
  get isFull(): boolean {
    return fullCodes.has(this.code);
  }
}

/** Account resources exceeded, insufficient resources, memory exceeded, storage exceeded, store failed (a disk without room). */
const fullCodes: ReadonlySet<number> = new Set([10_002, 10_023, 10_028, 10_047, 10_077]);

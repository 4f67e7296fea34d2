import { z } from "zod";
import { type Code, codes } from "./code.ts";
import { isReason, type Reason, reasons } from "./reason.ts";

/** How far an invocation had come when we failed it: before `execution` the function had certainly not started. */
export const phases = ["admission", "placement", "startup", "execution"] as const;
export type Phase = (typeof phases)[number];

/** The one shape of an error on every carrier: bus frame, socket frame, problem+json. Unknown reasons from newer peers pass through. */
export const errorShape = z.object({
  code: z.enum(codes),
  reason: z.string(),
  phase: z.enum(phases).optional(),
  message: z.string(),
  field: z.string().optional(),
  retryAfterMs: z.number().int().nonnegative().optional(),
});
export type ErrorShape = z.infer<typeof errorShape>;

export interface LongshoreErrorOptions {
  phase?: Phase | undefined;
  /** The path of the offending input, as `placement.sites[0]`. */
  field?: string | undefined;
  retryAfterMs?: number | undefined;
  cause?: unknown;
}

/** We could not give a result. A function's own failure is never one of these: it is an `InvocationResult`. */
export class LongshoreError extends Error {
  override readonly name = "LongshoreError";
  readonly code: Code;
  readonly reason: string;
  readonly phase: Phase | undefined;
  readonly field: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(reason: Reason, message: string, options: LongshoreErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = reasons[reason].code;
    this.reason = reason;
    this.phase = options.phase;
    this.field = options.field;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** The status that HTTP callers see (house.md's table; a reason newer than this build falls back to its code's usual one). */
  get httpStatus(): number {
    return isReason(this.reason) ? reasons[this.reason].httpStatus : httpStatusOfCode[this.code];
  }

  /** The same error with the phase filled in where it was unknown. */
  at(phase: Phase): LongshoreError {
    return this.phase === undefined ? LongshoreError.fromShape({ ...this.toShape(), phase }, this.cause) : this;
  }

  /** What crosses a process border: never the cause, never a stack. */
  toShape(): ErrorShape {
    return {
      code: this.code,
      reason: this.reason,
      message: this.message,
      ...(this.phase !== undefined && { phase: this.phase }),
      ...(this.field !== undefined && { field: this.field }),
      ...(this.retryAfterMs !== undefined && { retryAfterMs: this.retryAfterMs }),
    };
  }

  /** Rebuilds an error that came from another process, keeping its code and reason even when this build does not list them. */
  static fromShape(shape: ErrorShape, cause?: unknown): LongshoreError {
    const error = new LongshoreError("unexpected", shape.message, { ...shape, cause });
    return Object.assign(error, { code: shape.code, reason: shape.reason });
  }

  /** Any thrown value as a LongshoreError: one of ours as it is, anything else as `unexpected` with the original as cause. */
  static from(value: unknown, action: string): LongshoreError {
    if (value instanceof LongshoreError) return value;
    const text = value instanceof Error ? value.message : String(value);
    return new LongshoreError("unexpected", `${action}: ${text}`, { cause: value });
  }
}

const httpStatusOfCode: Record<Code, number> = {
  invalid_argument: 400,
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  already_exists: 409,
  failed_precondition: 400,
  resource_exhausted: 429,
  deadline_exceeded: 504,
  cancelled: 499,
  unavailable: 503,
  unimplemented: 501,
  internal: 500,
};

/** Turns a failed schema check into `bad_schema`, naming the first offending field and what was expected of it. */
export function schemaError(error: z.ZodError, what: string): LongshoreError {
  const issue = error.issues[0];
  const path = (issue?.path ?? []).map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  const unknown = issue?.code === "unrecognized_keys" ? issue.keys[0] : undefined;
  const field = `${path}${unknown === undefined ? "" : `.${unknown}`}`.replace(/^\./, "") || what;
  return new LongshoreError("bad_schema", `Cannot read ${what}: ${field}: ${issue?.message ?? "invalid"}`, { field, cause: error });
}

/** Parses input from outside, or throws `bad_schema` naming the field. */
export function parseInput<T extends z.ZodType>(schema: T, value: unknown, what: string): z.infer<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw schemaError(parsed.error, what);
}

import { LongshoreError } from "@longshore/protocol";

/** What a backup that cannot be restored is refused with, before anything is touched. */
export function damaged(file: string, what: string, cause?: unknown): LongshoreError {
  return new LongshoreError("backup_damaged", `Cannot restore "${file}": ${what}`, { field: "file", cause });
}

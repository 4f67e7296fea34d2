import type { Attachment } from "../engine.ts";

/** What an attachment delivered so far, with promises for what is to come. */
export interface CapturedOutput {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Resolves with the connection's error, if any, when the streams have ended. */
  readonly ended: Promise<Error | undefined>;
  /** Resolves once stdout holds the text; rejects when the streams end before. */
  said(text: string): Promise<void>;
  /** Resolves once there is room for input. */
  drained(): Promise<void>;
}

/** Listens to an attachment and keeps everything. */
export function captureOutput(attachment: Attachment): CapturedOutput {
  const stdout: Uint8Array[] = [];
  const stderr: Uint8Array[] = [];
  const ended = Promise.withResolvers<Error | undefined>();
  const sayings = new Set<() => void>();
  let drain = Promise.withResolvers<void>();
  attachment.listen({
    onStdout(bytes) {
      stdout.push(bytes);
      for (const check of sayings) check();
    },
    onStderr: (bytes) => void stderr.push(bytes),
    onDrain() {
      drain.resolve();
      drain = Promise.withResolvers<void>();
    },
    onEnd: (error) => ended.resolve(error),
  });
  return {
    get stdout() {
      return Buffer.concat(stdout);
    },
    get stderr() {
      return Buffer.concat(stderr);
    },
    ended: ended.promise,
    drained: () => drain.promise,
    said(text) {
      const said = Promise.withResolvers<void>();
      const check = () => Buffer.concat(stdout).includes(text) && said.resolve();
      sayings.add(check);
      check();
      void ended.promise.then(() => said.reject(new Error(`The streams ended before ${JSON.stringify(text)} was said; stderr: ${Buffer.concat(stderr).toString()}`)));
      return said.promise.finally(() => sayings.delete(check));
    },
  };
}

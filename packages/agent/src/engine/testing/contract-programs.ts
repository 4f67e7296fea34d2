import type { FakeProgram } from "./fake-container.ts";

/** One program in both forms: for busybox's shell in a real container, and for a fake one. */
export interface ContractProgram {
  readonly shell: string;
  readonly fake: FakeProgram;
}

/** Bytes that `flood` writes. */
export const floodBytes = 8 * 2 ** 20;

/** The programs that the contract suite runs. */
export const contractPrograms = {
  /** Writes to both streams, fails with 3. */
  speak: {
    shell: "echo out; echo err >&2; exit 3",
    async fake(process) {
      await process.stdout("out\n");
      await process.stderr("err\n");
      process.exit(3);
    },
  },
  /** Gives back what it is given, byte for byte. */
  echo: {
    shell: "cat",
    async fake(process) {
      for await (const chunk of process.stdin) await process.stdout(chunk);
    },
  },
  /** Says how many bytes it was given, once there are no more. */
  count: {
    shell: "wc -c",
    fake: countInput,
  },
  /** Reads nothing before it gets a SIGTERM; then as `count`. */
  countLate: {
    shell: "trap : TERM; echo ready; sleep 600 & wait; wc -c",
    async fake(process) {
      const signalled = Promise.withResolvers<void>();
      process.onSignal(() => signalled.resolve());
      await process.stdout("ready\n");
      await signalled.promise;
      await countInput(process);
    },
  },
  /** Waits for SIGTERM, then ends with 7. */
  wait: {
    shell: "trap 'exit 7' TERM; echo ready; sleep 600 & wait",
    async fake(process) {
      process.onSignal(() => process.exit(7));
      await process.stdout("ready\n");
      await process.ended;
    },
  },
  /** Writes {@link floodBytes} zeros as fast as they are taken. */
  flood: {
    shell: `exec head -c ${floodBytes} /dev/zero`,
    async fake(process) {
      for (let written = 0; written < floodBytes; written += 65_536) await process.stdout(new Uint8Array(65_536));
    },
  },
  /** A child uses more memory than there is; its parent goes on and ends with 0. */
  hog: {
    shell: "sh -c 'x=$(head -c 400000000 /dev/zero | tr \"\\0\" x)'; exit 0",
    async fake(process) {
      process.outOfMemory();
      process.exit(0);
    },
  },
} as const satisfies Record<string, ContractProgram>;

export type ContractProgramName = keyof typeof contractPrograms;

async function countInput(process: Parameters<FakeProgram>[0]): Promise<void> {
  let bytes = 0;
  for await (const chunk of process.stdin) bytes += chunk.length;
  await process.stdout(`${bytes}\n`);
}

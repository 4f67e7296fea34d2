import { type DeployAnswer, functionNameSchema, parseName } from "@longshore/protocol";
import type { Fleet } from "../fleet.ts";
import { followRecords } from "../invocation/follow-records.ts";
import { laterInProcess } from "../terminal/pacer.ts";
import type { DevLog } from "./dev-log.ts";
import type { WatchFolder } from "./folder-watch.ts";
import { readIgnored } from "./ignored.ts";
import { createCycle } from "./run-cycle.ts";

export interface RunDevOptions {
  readonly folder: string;
  readonly functionName: string;
  readonly fleet: Pick<Fleet, "logs" | "watch" | "records">;
  readonly log: DevLog;
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly watchFolder: WatchFolder;
  /** The folder's `.dockerignore`; empty where there is none. */
  readonly readIgnoreFile: () => string;
  /** RFC 3339: when it began. */
  readonly fromAt: string;
  /** Builds the folder as it stands and deploys it. */
  readonly deploy: (onOutput: (text: string) => void, signal: AbortSignal) => Promise<DeployAnswer>;
}

/** What a build says is kept as far as people read it. */
const mostOutputCharacters = 64 * 1024;

/** Builds and deploys a folder at once and at every save, and shows what the function writes and what becomes of its invocations, until the signal. Throws where the folder cannot be watched or the fleet is not there. */
export async function runDev({ folder, functionName, fleet, log, signal, watchFolder, readIgnoreFile, fromAt, deploy }: RunDevOptions): Promise<void> {
  const failed = Promise.withResolvers<never>();
  const leaving = new AbortController();
  const until = AbortSignal.any([signal, leaving.signal]);
  const ended = new Promise<void>((resolve) => (signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true })));
  let serves: string | undefined;
  let isShown = false;
  const showOnce = (): void => {
    if (isShown) return;
    isShown = true;
    showLogs(functionName, fleet, log, until).catch(failed.reject);
  };
  const build = async (savedMs: number): Promise<void> => {
    let output = "";
    log.building();
    try {
      const answer = await deploy((text) => (output = (output + text).slice(-mostOutputCharacters)), until);
      serves = answer.function.revisionId;
      log.live(answer, performance.now() - savedMs);
      showOnce();
    } catch (error) {
      if (!until.aborted) log.failed(error, output, serves);
    }
  };
  const cycle = createCycle({ build, now: () => performance.now(), later: laterInProcess });
  let isIgnored = readIgnored(readIgnoreFile());
  const onChange = (path: string): void => {
    if (path === ".dockerignore") isIgnored = readIgnored(readIgnoreFile());
    if (!isIgnored(path)) cycle.saved();
  };
  const watching = watchFolder(folder, { onChange, onError: failed.reject });
  showInvocations(functionName, fleet, log, until, fromAt).catch(failed.reject);
  try {
    cycle.saved();
    await Promise.race([ended, failed.promise]);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    watching.close();
    leaving.abort();
    await cycle.stop();
  }
}

async function showLogs(functionName: string, fleet: Pick<Fleet, "logs">, log: DevLog, signal: AbortSignal): Promise<void> {
  for await (const line of fleet.logs([functionName], { follow: true, tail: 0, signal })) log.line(line);
}

async function showInvocations(functionName: string, fleet: Pick<Fleet, "watch" | "records">, log: DevLog, signal: AbortSignal, fromAt: string): Promise<void> {
  const filter = { function: parseName(functionNameSchema, functionName, "NAME") };
  for await (const record of followRecords(fleet, { filter, signal, fromAt, onConnected: () => undefined })) log.ended(record);
}

import { constants } from "node:os";
import { posix } from "node:path";
import type { InspectedImage } from "./image-facts.ts";

type Config = NonNullable<InspectedImage["Config"]>;

const pathMaxBytes = 4095;
/** As engines count users and groups. */
const maxId = 2 ** 31 - 1;
const maxSignal = 64;

/**
 * What in an image's config no container can be made of, each as `StopSignal is "SIGFOO", no signal`; empty for a
 * config in order. An engine keeps such an image without a word and fails when it is started, or does not stop it as it asks.
 */
export function configFaults(config: Config): string[] {
  return [
    ...Object.keys(config.ExposedPorts ?? {}).filter((name) => !isPort(name)).map((name) => fault("ExposedPorts has", name, "no port")),
    ...Object.keys(config.Volumes ?? {}).filter((path) => !isVolume(path)).map((path) => fault("Volumes has", path, "no absolute path below the root")),
    ...(config.Env ?? []).filter((entry) => !/^[^=\0]+(?:=[^\0]*)?$/.test(entry)).map((entry) => fault("Env has", entry, "no variable")),
    ...(isWorkingDirectory(config.WorkingDir ?? "") ? [] : [fault("WorkingDir is", config.WorkingDir, "no absolute path of at most 4095 bytes")]),
    ...(isSignal(config.StopSignal ?? "") ? [] : [fault("StopSignal is", config.StopSignal, "no signal")]),
    ...(isUser(config.User ?? "") ? [] : [fault("User is", config.User, "no user and group")]),
  ];
}

const shownCharacters = 60;

function fault(what: string, value: string | undefined, whatItIsNot: string): string {
  return `${what} ${JSON.stringify((value ?? "").slice(0, shownCharacters))}, ${whatItIsNot}`;
}

function isPort(name: string): boolean {
  const [, port] = /^(\d{1,5})(?:\/(?:tcp|udp|sctp))?$/.exec(name) ?? [];
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
}

function isVolume(path: string): boolean {
  return isAbsolute(path) && posix.normalize(path) !== "/";
}

function isWorkingDirectory(path: string): boolean {
  return path === "" || isAbsolute(path);
}

function isAbsolute(path: string): boolean {
  return path.startsWith("/") && !path.includes("\0") && Buffer.byteLength(path) <= pathMaxBytes;
}

/** `QUIT`, `SIGQUIT`, `3`, `SIGRTMIN+3`; none. */
function isSignal(text: string): boolean {
  if (text === "") return true;
  if (/^\d+$/.test(text)) return Number(text) >= 1 && Number(text) <= maxSignal;
  const name = text.toUpperCase().replace(/^SIG/, "");
  return Object.hasOwn(constants.signals, `SIG${name}`) || name === "CLD" || /^RTM(?:IN(?:\+\d{1,2})?|AX(?:-\d{1,2})?)$/.test(name);
}

function isUser(text: string): boolean {
  const parts = text.split(":");
  return parts.length <= 2 && parts.every((part) => !/^[+-]?\d+$/.test(part) || (Number(part) >= 0 && Number(part) <= maxId));
}

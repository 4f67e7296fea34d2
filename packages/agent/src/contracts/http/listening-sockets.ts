import { readFile } from "node:fs/promises";
import { endianness } from "node:os";

/** A TCP socket that a container's processes listen on. */
export interface ListeningSocket {
  readonly port: number;
  readonly isLoopback: boolean;
}

/**
 * The listening TCP sockets in the network namespace of a process, read from outside of it; undefined where the process is not
 * visible (it is gone, or the agent runs in a process namespace of its own).
 */
export async function readListeningSockets(pid: number): Promise<ListeningSocket[] | undefined> {
  if (pid === 0) return undefined;
  try {
    const [four, six] = await Promise.all([readFile(`/proc/${pid}/net/tcp`, "utf8"), readFile(`/proc/${pid}/net/tcp6`, "utf8").catch(() => "")]);
    return [...parseListeningSockets(four), ...parseListeningSockets(six)];
  } catch {
    return undefined;
  }
}

const listenState = "0A";

/** Reads the kernel's table (`/proc/net/tcp`, `/proc/net/tcp6`): addresses in hexadecimal, each 32-bit word in the host's byte order. */
export function parseListeningSockets(table: string, byteOrder = endianness()): ListeningSocket[] {
  const sockets: ListeningSocket[] = [];
  for (const row of table.split("\n").slice(1)) {
    const [, local, , state] = row.trim().split(/\s+/);
    const [address, port] = local?.split(":") ?? [];
    if (state !== listenState || address === undefined || port === undefined) continue;
    sockets.push({ port: Number.parseInt(port, 16), isLoopback: isLoopbackAddress(byteOrder === "BE" ? address : swapWords(address)) });
  }
  return sockets;
}

/** Turns the bytes of each 32-bit word around. */
function swapWords(hex: string): string {
  return hex.replace(/(..)(..)(..)(..)/g, "$4$3$2$1");
}

/** 127.0.0.0/8, ::1 and ::ffff:127.0.0.0/104, in the order of the network. */
function isLoopbackAddress(hex: string): boolean {
  return /^(?:0{20}FFFF)?7F.{6}$/.test(hex) || /^0{31}1$/.test(hex);
}

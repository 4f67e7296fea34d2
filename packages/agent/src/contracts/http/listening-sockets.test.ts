import { describe, expect, it } from "vitest";
import { parseListeningSockets } from "./listening-sockets.ts";

const heading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const row = (address: string, port: number, state = "0A") =>
  `   0: ${address}:${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 21871 1 0000000000000000 100 0 0 10 0\n`;

describe("parseListeningSockets()", () => {
  it("finds what listens, and where", () => {
    const table = heading + row("00000000", 8080) + row("0100007F", 9000) + row("7F00A8C0", 80);
    expect(parseListeningSockets(table, "LE")).toEqual([
      { port: 8080, isLoopback: false },
      { port: 9000, isLoopback: true },
      { port: 80, isLoopback: false },
    ]);
    expect(parseListeningSockets(heading + row("7F000001", 9000) + row("C0A8007F", 80), "BE")).toEqual([
      { port: 9000, isLoopback: true },
      { port: 80, isLoopback: false },
    ]);
  });

  it("leaves out connections and sockets that were closed", () => {
    expect(parseListeningSockets(heading + row("00000000", 8080, "01") + row("00000000", 8081, "06"))).toEqual([]);
  });

  it.each([
    ["::", "00000000000000000000000000000000", false],
    ["::1", "00000000000000000000000001000000", true],
    ["::ffff:127.0.0.1", "0000000000000000FFFF00000100007F", true],
    ["::ffff:10.0.0.127", "0000000000000000FFFF00007F00000A", false],
    ["::ffff:10.0.0.1", "0000000000000000FFFF00000100000A", false],
    ["fd00::1", "000000FD000000000000000001000000", false],
  ])("reads the IPv6 address %s", (_, address, isLoopback) => {
    expect(parseListeningSockets(heading + row(address, 8080), "LE")).toEqual([{ port: 8080, isLoopback }]);
  });

  it("finds nothing in an empty table", () => {
    expect(parseListeningSockets("")).toEqual([]);
    expect(parseListeningSockets(heading)).toEqual([]);
  });
});

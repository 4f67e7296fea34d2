import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeHoldFrame } from "./frame.ts";
import { holdHere, HoldProcess, type HoldOptions, type HoldResult } from "./testing/hold-process.ts";

const cannotRun = holdHere === undefined;
const isRoot = process.getuid?.() === 0;
const firstProcess = ["unshare", "--pid", "--fork", "--kill-child"];
const path = process.env["PATH"] ?? "";
/** Prints what the kernel says of the program's signals, then what stands on its stdin. */
const signalsOf = "sed -n 's/^\\(Sig[BIC].*\\):\\t*/\\1 /p' /proc/self/status";
const noSignals = ["SigBlk", "SigIgn", "SigCgt"].map((name) => `${name} 0000000000000000\n`).join("");

function become(program: readonly string[], options: HoldOptions = {}): HoldProcess {
  return new HoldProcess(["become", ...program], { env: { PATH: path }, ...options });
}

function run(program: readonly string[], options: HoldOptions = {}): HoldProcess {
  return new HoldProcess(["run", ...program], { env: { PATH: path }, ...options });
}

/** Sends bytes that are no good frame, then the end of input. */
function send(hold: HoldProcess, bytes: Uint8Array): Promise<HoldResult> {
  hold.stdin.end(bytes);
  return hold.result();
}

function header(length: number): Buffer {
  const bytes = Buffer.alloc(20);
  bytes.writeUInt32LE(length);
  return bytes;
}

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "longshore-hold-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An executable script in a folder of its own; returns that folder. */
function makeScript(folderName: string, name: string, { text = "#!/bin/sh\necho $0\n", mode = 0o755 } = {}): string {
  const place = join(folder, folderName);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, name), text);
  chmodSync(join(place, name), mode);
  return place;
}

describe.skipIf(cannotRun)("hold (needs Linux and an executable for this processor)", () => {
  describe("while held", () => {
    it.each(["", "become", "run", "watch true", "becomes true", "ru true"])("refuses the arguments %j with its usage", async (args) => {
      const result = await new HoldProcess(args === "" ? [] : args.split(" ")).result();
      expect(result).toMatchObject({ exitCode: 125, stderr: Buffer.from("hold: Usage: hold become|run PROGRAM [ARGUMENT...]\n") });
    });

    it.each([0, 1, 4, 5, 20, 26])("ends in silence, nothing begun, when input ends after %i bytes", async (length) => {
      const frame = encodeHoldFrame({ nonce: randomBytes(16), env: ["NAME=value"] });
      for (const mode of ["become", "run"]) {
        const result = await send(new HoldProcess([mode, "/bin/echo", "begun"]), frame.subarray(0, length));
        expect(result).toMatchObject({ exitCode: 0, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), status: undefined });
      }
    });

    it.each([
      ["its length is out of bounds", header(15)],
      ["its length is out of bounds", header(2 ** 20 + 1)],
      ["its length is out of bounds", header(2 ** 32 - 1)],
      ["its last variable has no end", Buffer.concat([header(19), Buffer.from("A=1")])],
      ["a variable has no name", Buffer.concat([header(18), Buffer.from("A\0")])],
      ["a variable has no name", Buffer.concat([header(19), Buffer.from("=1\0")])],
      ["a variable has no name", Buffer.concat([header(17), Buffer.from("\0")])],
    ])("refuses a malformed frame: %s", async (message, bytes) => {
      const result = await send(run(["echo", "begun"]), bytes);
      expect(result).toMatchObject({ exitCode: 125, stdout: Buffer.alloc(0), stderr: Buffer.from(`hold: Malformed start frame: ${message}\n`) });
    });

    it("takes a frame that comes byte by byte", async () => {
      const hold = run(["sh", "-c", "echo $NAME; cat"]);
      for (const byte of encodeHoldFrame({ nonce: hold.nonce, env: ["NAME=value"] })) {
        await new Promise((resolve) => hold.stdin.write(Uint8Array.of(byte), resolve));
      }
      hold.stdin.end("input");
      expect(await hold.result()).toMatchObject({ stdout: Buffer.from("value\ninput"), status: { kind: "exited", code: 0 } });
    });

    it.each(["SIGTERM", "SIGINT", "SIGQUIT", "SIGWINCH", "SIGUSR1"] as const)("ends at once on %s", async (signal) => {
      const hold = run(["true"]);
      hold.stdin.write(header(20).subarray(0, 7));
      await hold.waits();
      hold.kill(signal);
      const numbers = { SIGTERM: 15, SIGINT: 2, SIGQUIT: 3, SIGWINCH: 28, SIGUSR1: 10 };
      expect(await hold.result()).toMatchObject({ exitCode: 128 + numbers[signal], stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) });
    });

    it.skipIf(!isRoot)("ends on SIGTERM as the first process of its container too (needs root)", async () => {
      const hold = become(["true"], { behind: firstProcess });
      await hold.waits();
      hold.kill("SIGTERM");
      expect(await hold.result()).toMatchObject({ exitCode: 143 });
    });
  });

  describe("the program it begins", () => {
    it.each(["become", "run"])("has the image's environment with the frame's over it (%s)", async (mode) => {
      const hold = new HoldProcess([mode, "env"], { env: { PATH: path, KEPT: "image", SAME: "image", SAME_NOT: "image" } });
      const long = "x".repeat(100_000);
      const { stdout } = await hold.begin(["SAME=frame", "NEW=a=b", "LINES=one\ntwo", "EMPTY=", "TWICE=1", "TWICE=2", "SAM=e", `LONG=${long}`]).result();
      expect(stdout.toString()).toBe(
        `PATH=${path}\nKEPT=image\nSAME=frame\nSAME_NOT=image\nNEW=a=b\nLINES=one\ntwo\nEMPTY=\nTWICE=2\nSAM=e\nLONG=${long}\n`,
      );
    });

    it("has its arguments and working directory as they were given", async () => {
      const hold = become(["sh", "-c", 'pwd; printf "[%s]" "$0" "$@"', "zero", "", "a b", "--", "ä\n"], { cwd: "/usr" });
      const { stdout, exitCode } = await hold.begin().result();
      expect(stdout.toString()).toBe("/usr\n[zero][][a b][--][ä\n]");
      expect(exitCode).toBe(0);
    });

    it("reads nothing, having been become", async () => {
      const { stdout } = await become(["sh", "-c", "readlink /proc/self/fd/0; cat; echo end"]).begin([], Buffer.from("not for the program")).result();
      expect(stdout.toString()).toBe("/dev/null\nend\n");
    });

    it("has no other files open than without hold", async () => {
      const list = ["ls", "/proc/self/fd"];
      const without = execFileSync("ls", ["/proc/self/fd"], { encoding: "utf8" });
      expect((await become(list).begin().result()).stdout.toString()).toBe(without);
      expect((await run(list).begin().result()).stdout.toString()).toBe(without);
    });

    it.each(["become", "run"])("has every signal at its default, whatever hold inherited (%s)", async (mode) => {
      const ignoring = ["sh", "-c", 'trap "" HUP PIPE USR1 CHLD; exec "$@"', "sh"];
      const hold = new HoldProcess([mode, "sh", "-c", `exec ${signalsOf}`], { env: { PATH: path }, behind: ignoring });
      expect((await hold.begin().result()).stdout.toString()).toBe(noSignals);
    });

    it("leads a session of its own, so that a signal to its group stays with it", async () => {
      const hold = run(["sh", "-c", 'trap "echo caught" TERM; kill -TERM 0; set -- $(cat /proc/self/stat); [ "$6" = $$ ] && echo leads']);
      expect(await hold.begin().result()).toMatchObject({ stdout: Buffer.from("caught\nleads\n"), status: { kind: "exited", code: 0 } });
    });

    it.skipIf(!isRoot)("cannot read the nonce in its parent's memory (needs root)", async () => {
      const executable = openSync(holdHere ?? "", "r");
      try {
        const look = "cat /proc/$PPID/environ /proc/$PPID/mem 2>&1 | grep -c 'Permission denied'";
        const hold = run(["sh", "-c", look], { executable: "/proc/self/fd/3", descriptor: executable, uid: 65_534 });
        expect((await hold.begin().result()).stdout.toString()).toBe("2\n");
      } finally {
        closeSync(executable);
      }
    });
  });

  describe("finding the program", () => {
    it("looks through PATH in order, past what cannot be executed", async () => {
      const places = [join(folder, "absent"), makeScript("plain", "tool", { mode: 0o644 }), makeScript("first", "tool"), makeScript("second", "tool")];
      mkdirSync(join(folder, "directory", "tool"), { recursive: true });
      const env = { PATH: [join(folder, "directory"), ...places, "/bin"].join(":") };
      expect((await become(["tool"], { env }).begin().result()).stdout.toString()).toBe(`${join(folder, "first", "tool")}\n`);
    });

    it("looks through the PATH of the frame, where it has one", async () => {
      const place = makeScript("of-frame", "tool");
      const hold = become(["tool"], { env: { PATH: "/nowhere" } });
      expect((await hold.begin([`PATH=${place}:/bin`]).result()).stdout.toString()).toBe(`${join(place, "tool")}\n`);
    });

    it("has an engine's default when there is no PATH", async () => {
      expect((await become(["sh", "-c", "echo found"], { env: {} }).begin().result()).stdout.toString()).toBe("found\n");
    });

    it("takes an empty element of PATH for the working directory", async () => {
      const cwd = makeScript("working", "tool");
      expect((await become(["tool"], { env: { PATH: "/nowhere:" }, cwd }).begin().result()).stdout.toString()).toBe("tool\n");
    });

    it("takes a name with a slash as it is", async () => {
      const cwd = makeScript("slash", "tool");
      expect((await become(["./tool"], { env: { PATH: "/nowhere" }, cwd }).begin().result()).stdout.toString()).toBe("./tool\n");
    });

    it.each([
      ["no-such-program", 127, "not found in PATH"],
      ["", 127, "not found in PATH"],
      ["/no/such/program", 127, "no such file, or its interpreter is missing"],
      ["FOLDER/no-interpreter", 127, "no such file, or its interpreter is missing"],
      ["FOLDER/plain-file", 126, "permission denied"],
      ["plain-file", 126, "permission denied"],
      ["FOLDER", 126, "permission denied"],
      ["FOLDER/no-executable", 126, "not an executable of this architecture"],
      ["no-executable", 126, "not an executable of this architecture"],
      ["FOLDER/loop", 126, "the kernel refused"],
    ])("says that it cannot start %j: %i, %s", async (name, code, reason) => {
      const place = makeScript("bad", "plain-file", { mode: 0o644 });
      makeScript("bad", "no-interpreter", { text: "#!/no/such/interpreter\n" });
      makeScript("bad", "no-executable", { text: "echo begun\n" });
      rmSync(join(place, "loop"), { force: true });
      symlinkSync("loop", join(place, "loop"));
      const program = name.replace("FOLDER", place);
      const stderr = Buffer.from(`hold: Cannot start "${program}": ${reason}\n`);
      const env = { PATH: `${place}:${path}` };
      expect(await become([program], { env }).begin().result()).toMatchObject({ exitCode: code, stderr, status: undefined });
      const notStarted = { kind: "not_started", code };
      expect(await run([program], { env }).begin().result()).toMatchObject({ exitCode: code, stderr, status: notStarted, stderrStatus: notStarted });
    });
  });

  describe("as the program's parent", () => {
    it.each([0, 1, 126, 127, 255])("reports exit code %i on both streams and with its own", async (code) => {
      const status = { kind: "exited", code };
      const hold = run(["sh", "-c", `echo out; echo err >&2; exit ${code}`]).begin();
      expect(await hold.result()).toMatchObject({ stdout: Buffer.from("out\n"), stderr: Buffer.from("err\n"), status, stderrStatus: status, exitCode: code });
    });

    it.each([["SIGKILL", 9], ["SIGSEGV", 11], ["SIGPIPE", 13]])("reports the program's end by %s", async (signal, number) => {
      const status = { kind: "signalled", signal };
      const hold = run(["sh", "-c", `kill -${number} $$`]).begin();
      expect(await hold.result()).toMatchObject({ status, stderrStatus: status, exitCode: 128 + number });
    });

    it("hands the program its input, byte for byte, and the end of it", async () => {
      const input = randomBytes(5_000_000);
      const { stdout, status } = await run(["cat"]).begin([], input).result();
      expect(stdout.equals(input)).toBe(true);
      expect(status).toMatchObject({ kind: "exited", code: 0 });
    });

    it("passes each signal on exactly once", async () => {
      const program = `
        for (const name of ["SIGTERM", "SIGUSR1"]) process.on(name, () => console.log(name));
        process.on("SIGQUIT", () => { console.log("SIGQUIT"); process.exit(3); });
        setInterval(() => {}, 1e6);
        console.log("ready");`;
      const hold = run([process.execPath, "-e", program]).begin();
      await hold.wrote("ready");
      for (const signal of ["SIGTERM", "SIGUSR1", "SIGQUIT"] as const) {
        hold.kill(signal);
        await hold.wrote(signal);
      }
      expect(await hold.result()).toMatchObject({ stdout: Buffer.from("ready\nSIGTERM\nSIGUSR1\nSIGQUIT\n"), status: { kind: "exited", code: 3 } });
    });

    it("lets a signal end a program that does not handle it", async () => {
      const hold = run(["sh", "-c", "echo ready; exec sleep 1000"]).begin();
      await hold.wrote("ready");
      hold.kill("SIGTERM");
      expect(await hold.result()).toMatchObject({ status: { kind: "signalled", signal: "SIGTERM" }, exitCode: 143 });
    });

    it.skipIf(!isRoot)("reaps orphans, as the first process of its container (needs root)", async () => {
      // `kill -0` succeeds for as long as the orphan is a zombie.
      const orphan = "orphan=$(sh -c 'sleep 0 >&- & echo $!')";
      const program = `for i in 1 2 3 4 5; do ${orphan}; while kill -0 $orphan 2>&-; do sleep 0; done; done; echo reaped; exit 4`;
      const result = await run(["sh", "-c", program], { behind: firstProcess }).begin().result();
      expect(result).toMatchObject({ stdout: Buffer.from("reaped\n"), status: { kind: "exited", code: 4 }, exitCode: 4 });
    });

    it.skipIf(!isRoot)("takes what the program left running with it (needs root)", async () => {
      const hold = run(["sh", "-c", "sleep 1000 & echo left"], { behind: firstProcess }).begin();
      expect(await hold.result()).toMatchObject({ stdout: Buffer.from("left\n"), status: { kind: "exited", code: 0 } });
    });

    it("tells whoever writes to a program that reads no more", async () => {
      const hold = run(["sh", "-c", "head -n 1; exec <&-; echo closed; exec sleep 1000"]).begin([], "open");
      const told = once(hold.stdin.removeAllListeners("error"), "error");
      hold.stdin.write(`one\n${"more\n".repeat(1_000_000)}`);
      expect((await told)[0]).toMatchObject({ code: expect.stringMatching(/^(EPIPE|ECONNRESET)$/) });
      await hold.wrote("closed");
      hold.kill("SIGTERM");
      expect(await hold.result()).toMatchObject({ stdout: Buffer.from("one\nclosed\n"), status: { kind: "signalled", signal: "SIGTERM" } });
    });

    it("counts a reader that stops early as a success", async () => {
      const hold = run(["head", "-n", "1"]).begin([], Buffer.from(`one\n${"more\n".repeat(1_000_000)}`));
      expect(await hold.result()).toMatchObject({ stdout: Buffer.from("one\n"), status: { kind: "exited", code: 0 } });
    });

    it("reports a program that closed its output and went on", async () => {
      const hold = run(["sh", "-c", "echo out; exec >&- 2>&-; sleep 0; exit 5"]).begin();
      expect(await hold.result()).toMatchObject({ stdout: Buffer.from("out\n"), status: { kind: "exited", code: 5 }, stderrStatus: { kind: "exited", code: 5 } });
    });

    it("waits with the trailer for a slow reader", async () => {
      const hold = run(["head", "-c", "1000000", "/dev/zero"]).begin();
      hold.stdout.on("data", () => {
        hold.stdout.pause();
        setImmediate(() => hold.stdout.resume());
      });
      const { stdout, status } = await hold.result();
      expect(stdout).toHaveLength(1_000_000);
      expect(status).toMatchObject({ kind: "exited", code: 0 });
    });

    it("does not lose the trailer when the program left a full pipe that does not block", async () => {
      // Node sets its stdout, which hold shares, to non-blocking; killed, it does not set it back.
      const program = 'process.stdout.write("x".repeat(1e6)); process.kill(process.pid, "SIGKILL")';
      const hold = run([process.execPath, "-e", program], { readsLater: true }).begin();
      await hold.reaped();
      hold.readOutput();
      expect((await hold.result()).status).toMatchObject({ kind: "signalled", signal: "SIGKILL" });
    });

    it("still reports on one stream when nobody reads the other", async () => {
      const hold = run(["sh", "-c", "exit 6"]);
      hold.stdout.destroy();
      expect(await hold.begin().result()).toMatchObject({ stderrStatus: { kind: "exited", code: 6 }, exitCode: 6 });
    });
  });
});

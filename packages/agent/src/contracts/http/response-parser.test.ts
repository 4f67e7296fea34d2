import { describe, expect, it } from "vitest";
import { seededRandom } from "../../testing/random.ts";
import type { RequestKind } from "./response-head.ts";
import { maxHeadBytes, ResponseParser } from "./response-parser.ts";

const get: RequestKind = { method: "GET", upgrade: false };
const upgrade: RequestKind = { method: "GET", upgrade: true };

/** What came of an answer: the fields of its head, its body, how it ended. */
interface Reading {
  status?: number;
  headers?: (readonly [string, string])[];
  body: string;
  /** `clean`, `surplus` (something came behind it), `upgraded: …`, or what was wrong. */
  end: string | undefined;
}

const answered = (body: string, status = 200) => ({ status, body, end: "clean" });

/** Has a parser read the pieces, Latin-1; `closes`: the connection ends behind them. */
function read(pieces: readonly string[], { request = get, closes = false, parser = new ResponseParser() }: { request?: RequestKind; closes?: boolean; parser?: ResponseParser } = {}): Reading {
  const reading: Reading = { body: "", end: undefined };
  const end = (how: string) => {
    expect(reading.end, "the end is told once").toBeUndefined();
    reading.end = how;
  };
  parser.expect(request, {
    onHead(head) {
      expect(reading.status, "the head is told once").toBeUndefined();
      reading.status = head.status;
      reading.headers = [...head.headers];
    },
    onBody(bytes) {
      expect(bytes.length, "no empty part").toBeGreaterThan(0);
      reading.body += bytes.toString("latin1");
    },
    onEnd: (isClean) => end(isClean ? "clean" : "surplus"),
    onUpgrade: (rest) => end(`upgraded: ${rest.toString("latin1")}`),
    onViolation: (violation) => end(violation.isHttp2 ? "http/2" : violation.message),
  });
  for (const piece of pieces) parser.push(Buffer.from(piece, "latin1"));
  if (closes && !parser.finish()) reading.end ??= "broken off";
  return reading;
}

const byteByByte = (text: string) => Array.from(text);
const readOne = (text: string, options: Parameters<typeof read>[1] = {}) => read([text], options);

describe("ResponseParser", () => {
  it.each([
    ["a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", answered("hello")],
    ["the same length twice", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5, 5\r\n\r\nhello", answered("hello")],
    ["no length and nothing in it", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", answered("")],
    ["chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n00A;x=\"y\"\r\nlo, world!\r\n0\r\n\r\n", answered("hello, world!")],
    ["chunks and trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n", answered("hi")],
    ["a status without a body", "HTTP/1.1 204 No Content\r\n\r\n", answered("", 204)],
    ["a status without a body that says it has one", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", answered("", 304)],
    ["interim answers in front", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx", answered("x", 201)],
    ["line feeds alone", "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", answered("hi")],
    ["no reason phrase", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", answered("")],
  ])("reads an answer with %s, cut anywhere", (_, text, expected) => {
    for (let at = 0; at <= text.length; at += 1) expect(read([text.slice(0, at), text.slice(at)])).toMatchObject(expected);
    expect(read(byteByByte(text))).toMatchObject(expected);
  });

  it("ends a HEAD's answer behind its head, whatever length it names", () => {
    for (const framing of ["Content-Length: 500", "Transfer-Encoding: chunked", "X: y"]) {
      expect(readOne(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n`, { request: { method: "HEAD", upgrade: false } })).toMatchObject(answered(""));
    }
  });

  it("reads until the end of the connection where there is no length, and cannot use it again", () => {
    expect(read(["HTTP/1.1 200 OK\r\n\r\nhel", "lo"], { closes: true })).toMatchObject({ status: 200, body: "hello", end: "surplus" });
    expect(readOne("HTTP/1.0 200 OK\r\n\r\n", { closes: true })).toMatchObject({ status: 200, body: "", end: "surplus" });
  });

  it("does not take a connection's end for the answer's, where more was promised", () => {
    for (const text of ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"]) {
      expect(readOne(text, { closes: true }).end).toBe("broken off");
    }
  });

  it("keeps fields in order, in their spelling and repeated, and their values to the byte", () => {
    const text = "HTTP/1.1 200 OK\r\nset-cookie: a=1\r\nSet-Cookie: b=2; Path=/\r\nX-Empty:\r\nX-Blank: \t kept  inside \t\r\nX-Bytes: voil\xc3\xa0\r\nContent-Length: 0\r\nset-cookie: c=3\r\n\r\n";
    expect(readOne(text).headers).toEqual([
      ["set-cookie", "a=1"], ["Set-Cookie", "b=2; Path=/"], ["X-Empty", ""], ["X-Blank", "kept  inside"], ["X-Bytes", "voil\xc3\xa0"], ["Content-Length", "0"], ["set-cookie", "c=3"],
    ]);
  });

  it("unfolds a folded field", () => {
    expect(readOne("HTTP/1.1 204 OK\r\nX-Long: one\r\n two\r\n\tthree\r\n\r\n").headers).toEqual([["X-Long", "one two three"]]);
  });

  it("says when something came behind the answer", () => {
    expect(readOne("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\n\r\n")).toMatchObject({ body: "hi", end: "surplus" });
    expect(readOne("HTTP/1.1 204 OK\r\n\r\n!")).toMatchObject({ end: "surplus" });
  });

  it("reads one answer after another", () => {
    const parser = new ResponseParser();
    expect(readOne("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", { parser })).toMatchObject(answered("hi"));
    expect(parser.isIdle).toBe(true);
    expect(readOne("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", { parser })).toMatchObject(answered("no", 404));
  });

  it("takes a length over a coding for ambiguous: the coding wins, the length is not passed on, the connection not kept", () => {
    const parser = new ResponseParser();
    let keepsAlive: boolean | undefined;
    let headers: readonly (readonly [string, string])[] = [];
    parser.expect(get, { onHead: (head) => ([keepsAlive, headers] = [head.keepsAlive, head.headers]), onBody: () => undefined, onEnd: () => undefined, onUpgrade: () => undefined, onViolation: () => undefined });
    parser.push(Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
    expect({ keepsAlive, headers }).toEqual({ keepsAlive: false, headers: [["Transfer-Encoding", "chunked"]] });
  });

  describe("after a 101", () => {
    const switching = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

    it("hands over what follows, cut anywhere", () => {
      const text = `${switching}first`;
      for (let at = switching.length; at <= text.length; at += 1) expect(read([text.slice(0, at)], { request: upgrade })).toMatchObject({ status: 101, end: `upgraded: ${text.slice(switching.length, at)}` });
    });

    it("refuses one that was not asked for", () => {
      expect(readOne(switching).end).toMatch(/without being asked/);
    });

    it("reads an answer that declines as any other", () => {
      expect(readOne("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno", { request: upgrade })).toMatchObject(answered("no", 426));
    });
  });

  describe("refuses what two readers could read in two ways", () => {
    it.each([
      ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n", /status line/],
      ["another version", "HTTP/2.0 200 OK\r\n\r\n", /status line/],
      ["a status that is none", "HTTP/1.1 099 What\r\n\r\n", /status line/],
      ["contradictory lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", /contradictory/],
      ["a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", /contradictory/],
      ["a length with a sign", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n", /contradictory/],
      ["a length in hexadecimal", "HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\n", /contradictory/],
      ["no length where one is named", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", /contradictory/],
      ["a coding that was not asked for", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", /transfer coding/],
      ["a coding twice", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", /transfer coding/],
      ["chunks of HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", /transfer coding/],
      ["a field without a name", "HTTP/1.1 200 OK\r\n: x\r\n\r\n", /malformed header/],
      ["a field without a colon", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", /malformed header/],
      ["a blank before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n", /malformed header/],
      ["a carriage return in a value", "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n", /malformed header/],
      ["a NUL in a value", "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", /malformed header/],
      ["a control character in a value", "HTTP/1.1 200 OK\r\nX: a\x01b\r\n\r\n", /malformed header/],
      ["a fold before any field", "HTTP/1.1 200 OK\r\n x\r\n\r\n", /malformed header/],
      ["a chunk without a size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", /chunk header/],
      ["a chunk size with a sign", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", /chunk header/],
      ["a chunk size beyond counting", `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${"f".repeat(13)}\r\n`, /chunk header/],
      ["a chunk longer than it said", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi!\r\n", /longer than it said/],
    ])("%s", (_, text, message) => {
      expect(readOne(text).end).toMatch(message);
      expect(read(byteByByte(text)).end).toMatch(message);
    });

    it("a head over the limit, as soon as it is over", () => {
      const start = "HTTP/1.1 200 OK\r\nX: ";
      expect(readOne(start + "x".repeat(maxHeadBytes - start.length - 4) + "\r\n\r\n", { closes: true }).status).toBe(200);
      expect(readOne(start + "x".repeat(maxHeadBytes)).end).toMatch(/over 128 KiB/);
      expect(readOne("HTTP/1.1 200 OK\r\n" + "X: y\r\n".repeat(maxHeadBytes / 6)).end).toMatch(/over 128 KiB/);
    });

    it("chunk headers and trailers without end", () => {
      const start = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
      expect(readOne(`${start}1;${"x".repeat(5000)}`).end).toMatch(/overlong/);
      expect(readOne(`${start}0\r\n${"X: y\r\n".repeat(1000)}`).end).toMatch(/overlong/);
    });

    it("HTTP/2, and calls it so", () => {
      expect(readOne("\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64").end).toBe("http/2");
    });

    it("and ignores what follows", () => {
      expect(read(["SSH-2.0\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]).end).toMatch(/status line/);
    });
  });
});

const first = Number(process.env["LONGSHORE_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const seeds = Array.from({ length: 60 }, (_, index) => first + index);

describe("ResponseParser over random streams", () => {
  const build = (random: () => number) => {
    const upTo = (limit: number) => Math.floor(random() * limit);
    const bytes = (length: number) => Array.from({ length }, () => String.fromCharCode(upTo(256))).join("");
    const pick = <T>(options: readonly T[]) => options[upTo(options.length)]!;
    const body = random() < 0.2 ? "" : bytes(upTo(pick([8, 300, 20_000])));
    const fields = Array.from({ length: upTo(6) }, (_, index) => [`X-${index}`, bytes(upTo(20)).replace(/[^\x21-\x7e\x80-\xff]/g, "-")] as const);
    const end = pick(["\r\n", "\n"]);
    const head = (framing: string) => `HTTP/1.1 200 OK${end}${fields.map(([name, value]) => `${name}: ${value}${end}`).join("")}${framing}${end}${end}`;
    if (random() < 0.5) return { text: head(`Content-Length: ${body.length}`) + body, body, fields };
    let chunks = "";
    for (let at = 0; at < body.length; ) {
      const part = body.slice(at, at + 1 + upTo(pick([3, 4_000])));
      chunks += `${part.length.toString(16)}${end}${part}${end}`;
      at += part.length;
    }
    return { text: `${head("Transfer-Encoding: chunked")}${chunks}0${end}${random() < 0.3 ? `X-Trailer: y${end}` : ""}${end}`, body, fields };
  };

  const cut = (text: string, random: () => number) => {
    const pieces: string[] = [];
    for (let at = 0; at < text.length; ) {
      const length = 1 + Math.floor(random() ** 3 * (random() < 0.5 ? 10 : 3_000));
      pieces.push(text.slice(at, at + length));
      at += length;
    }
    return pieces;
  };

  it.each(seeds)("reads a connection's answers, cut anywhere (seed %i)", (seed) => {
    const random = seededRandom(seed);
    const parser = new ResponseParser();
    for (let answer = 0; answer < 8; answer += 1) {
      const { text, body, fields } = build(random);
      const reading = read(cut(text, random), { parser });
      expect({ ...reading, headers: reading.headers?.slice(0, fields.length) }).toEqual({ status: 200, headers: fields.map((field) => [...field]), body, end: "clean" });
    }
  });

  it.each(seeds)("stays calm over broken ones, and tells one end at most (seed %i)", (seed) => {
    const random = seededRandom(seed);
    for (let round = 0; round < 8; round += 1) {
      const { text, body } = build(random);
      const place = Math.floor(random() * Math.min(text.length, 200));
      const broken = text.slice(0, place) + String.fromCharCode(Math.floor(random() * 256)) + text.slice(place + (random() < 0.5 ? 1 : 0));
      const reading = read(cut(broken, random), { closes: true, request: random() < 0.5 ? get : upgrade });
      expect(reading.end).toBeTypeOf("string");
      expect(reading.body.length).toBeLessThanOrEqual(body.length + broken.length);
    }
  });
});

import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { createAllowList } from "./allow-list.ts";
import type { Post, PostAnswer } from "./send-request.ts";
import { deliverWebhook, type WebhookContext, type WebhookDelivery } from "./webhook.ts";
import { signWebhook } from "./webhook-signature.ts";

const secret = `whsec_${"A".repeat(32)}`;
const publicAddress = "93.184.216.34";
const delivery: WebhookDelivery = { url: "https://hooks.example/a?token=hush", body: Buffer.from('{"type":"invocation.succeeded"}'), id: "i-1", invocationId: "i-1", attempt: 2, secrets: [secret] };

interface Script {
  /** Answers in turn, the last one again and again. */
  readonly answers?: readonly (Partial<PostAnswer> | Error)[];
  /** What a name stands for, in turn. */
  readonly addresses?: Readonly<Record<string, readonly (readonly string[])[]>>;
  readonly allow?: readonly string[];
  readonly context?: Partial<WebhookContext>;
}

/** Delivers with a scripted network. */
async function deliver(change: Partial<WebhookDelivery>, { answers = [{}], addresses = {}, allow = [], context = {} }: Script = {}) {
  const posts: Post[] = [];
  const lookedUp: string[] = [];
  const outcome = await deliverWebhook({ ...delivery, ...change }, {
    clock: new ManualClock(),
    allow: createAllowList(allow),
    resolve: async (host) => {
      const turns = addresses[host] ?? [[publicAddress]];
      const turn = lookedUp.filter((name) => name === host).length;
      lookedUp.push(host);
      return turns[Math.min(turn, turns.length - 1)]!;
    },
    send: async (post) => {
      const answer = answers[Math.min(posts.push(post), answers.length) - 1]!;
      if (answer instanceof Error) throw answer;
      return { status: 200, headers: {}, ...answer };
    },
    ...context,
  });
  return { outcome, posts, lookedUp, went: posts.map(({ url, addresses: to }) => `${url.href} by ${to.join()}`) };
}

const redirect = (location: string, status = 307) => ({ status, headers: { location } });
const failure = (code: string) => Object.assign(new Error(`it is ${code}`), { code });

describe("deliverWebhook()", () => {
  it("sends a signed POST to the address that was checked", async () => {
    const { outcome, posts, went } = await deliver({});
    expect(outcome).toEqual({ outcome: "delivered", message: 'Delivered to "hooks.example": it answered 200', status: 200 });
    expect(went).toEqual([`https://hooks.example/a?token=hush by ${publicAddress}`]);
    const timestampSeconds = Date.UTC(2026, 10, 25) / 1000;
    expect(posts[0]).toMatchObject({
      body: delivery.body,
      headers: {
        "content-type": "application/json", "user-agent": expect.stringMatching(/^Longshore\/\d/), "webhook-id": "i-1", "webhook-timestamp": String(timestampSeconds),
        "webhook-signature": signWebhook({ id: "i-1", timestampSeconds, body: delivery.body }, [secret]), "longshore-invocation-id": "i-1", "longshore-delivery-attempt": "2",
      },
    });
  });

  it.each(["http://127.1/", "http://[::ffff:10.0.0.1]/", "http://0xa9fea9fe/latest", "http://[2002:7f00:1::]/"])("sends nothing to %s", async (url) => {
    const { outcome, posts } = await deliver({ url });
    expect([outcome.outcome, posts]).toEqual(["refused", []]);
  });

  it.each([[["10.0.0.1"]], [[publicAddress, "10.0.0.1"]], [["::1", publicAddress]]])("sends nothing to a name that stands for %j", async (addresses) => {
    const { outcome, posts } = await deliver({}, { addresses: { "hooks.example": [addresses] } });
    expect(outcome).toMatchObject({ outcome: "refused", message: expect.stringMatching(/^Cannot deliver to "hooks\.example": it stands for \S+, which is (private|loopback)$/) });
    expect(posts).toEqual([]);
  });

  it("looks a name up once for each request: what it would stand for the next moment is of no account", async () => {
    const rebinding = { "hooks.example": [[publicAddress], ["127.0.0.1"]] };
    const { outcome, went, lookedUp } = await deliver({}, { addresses: rebinding });
    expect([outcome.outcome, went, lookedUp]).toEqual(["delivered", [`https://hooks.example/a?token=hush by ${publicAddress}`], ["hooks.example"]]);
  });

  it("looks it up and checks it anew at a redirect to the same name", async () => {
    const { outcome, went } = await deliver({}, { addresses: { "hooks.example": [[publicAddress], ["127.0.0.1"]] }, answers: [redirect("/b")] });
    expect(outcome).toMatchObject({ outcome: "refused", message: expect.stringContaining("127.0.0.1, which is loopback") });
    expect(went).toHaveLength(1);
  });

  it("sends again with method and body where it is redirected, at most three times", async () => {
    const { outcome, went, posts } = await deliver({}, { answers: [redirect("/b"), redirect("https://other.example/c#part", 301), redirect("//third.example/d", 308), {}], addresses: { "third.example": [["1.1.1.1"]] } });
    expect(outcome).toEqual({ outcome: "delivered", message: 'Delivered to "third.example": it answered 200', status: 200 });
    expect(went.slice(1)).toEqual([`https://hooks.example/b by ${publicAddress}`, `https://other.example/c by ${publicAddress}`, "https://third.example/d by 1.1.1.1"]);
    expect(posts.every(({ body, headers }) => body === delivery.body && headers["webhook-id"] === "i-1")).toBe(true);
    const endless = await deliver({}, { answers: [redirect("/again", 302)] });
    expect(endless.outcome).toEqual({ outcome: "refused", message: 'Cannot deliver to "hooks.example": it redirects more than 3 times' });
    expect(endless.posts).toHaveLength(4);
  });

  it.each([
    "https://127.0.0.1/", "https://0x7f.1/", "https://[::1]/", "https://inside.example/", "//inside.example/", "http://hooks.example/", "https://user@hooks.example/", "ftp://hooks.example/", "https://", "file:///etc/passwd", `/${"x".repeat(2_048)}`,
  ])("does not follow a redirect to %j", async (location) => {
    const { outcome, went } = await deliver({}, { answers: [redirect(location)], addresses: { "inside.example": [["169.254.169.254"]] } });
    expect(outcome.outcome).toBe("refused");
    expect(went).toHaveLength(1);
  });

  it("may be redirected from http to https", async () => {
    expect((await deliver({ url: "http://hooks.example/" }, { answers: [redirect("https://hooks.example/"), { status: 204 }] })).outcome).toMatchObject({ outcome: "delivered", status: 204 });
  });

  it.each([[303], [304], [300]])("is refused by an answer %i, which leads nowhere", async (status) => {
    expect((await deliver({}, { answers: [{ status, headers: { location: "/b" } }] })).outcome).toMatchObject({ outcome: "refused", status });
  });

  it.each([400, 401, 403, 404, 405, 410, 413, 422])("is refused by %i", async (status) => {
    expect((await deliver({}, { answers: [{ status }] })).outcome).toEqual({ outcome: "refused", message: `Cannot deliver to "hooks.example": it answered ${status}`, status });
  });

  it.each([408, 425, 429, 500, 502, 503, 504, 599])("may be repeated after %i", async (status) => {
    expect((await deliver({}, { answers: [{ status }] })).outcome).toEqual({ outcome: "retry", message: `Cannot deliver to "hooks.example": it answered ${status}`, status });
  });

  it.each([["120", 120_000], ["0", 0], ["Wed, 25 Nov 2026 00:01:00 GMT", 60_000], ["Tue, 24 Nov 2026 00:00:00 GMT", 0], ["soon", undefined], ["-5", undefined], ["1e9", undefined], ["2027", 2_027_000]])("tells that it is asked for again after %j", async (text, retryAfterMs) => {
    const { outcome } = await deliver({}, { answers: [{ status: 429, headers: { "retry-after": text } }] });
    expect((outcome as { retryAfterMs?: number }).retryAfterMs).toBe(retryAfterMs);
  });

  it.each([
    [failure("ECONNREFUSED"), "the connection was refused"], [new AggregateError([failure("ECONNREFUSED"), failure("ENETUNREACH")]), "the connection was refused"], [failure("CERT_HAS_EXPIRED"), "it is CERT_HAS_EXPIRED"],
  ])("may be repeated after %s", async (error, because) => {
    expect((await deliver({}, { answers: [error] })).outcome).toEqual({ outcome: "retry", message: `Cannot deliver to "hooks.example": ${because}` });
  });

  it("may be repeated when a name cannot be looked up", async () => {
    const { outcome } = await deliver({}, { context: { resolve: () => Promise.reject(failure("ENOTFOUND")) } });
    expect(outcome).toEqual({ outcome: "retry", message: 'Cannot deliver to "hooks.example": its name has no address' });
  });

  it("never names the path, which may hold a token", async () => {
    for (const answer of [{}, { status: 404 }, { status: 500 }, failure("ECONNRESET"), redirect("http://hooks.example/hush")]) expect((await deliver({}, { answers: [answer] })).outcome.message).not.toContain("hush");
  });

  describe("ends, and leaves no timer", () => {
    const unanswered = ({ signal }: Post) => new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
    const waiting: Record<string, Partial<WebhookContext>> = { resolve: { resolve: () => new Promise<never>(() => undefined) }, send: { send: unanswered } };

    it.each(["resolve", "send"] as const)("15 seconds after it began, while it waits to %s", async (what) => {
      const clock = new ManualClock();
      const told = deliver({}, { context: { clock, ...waiting[what] } });
      await setImmediate();
      clock.advance(14_999);
      expect(clock.pending).toBe(1);
      clock.advance(1);
      expect((await told).outcome).toEqual({ outcome: "retry", message: 'Cannot deliver to "hooks.example": it took too long' });
      expect(clock.pending).toBe(0);
    });

    it("when it is told to, before as well as after it began", async () => {
      const ending = new AbortController();
      const clock = new ManualClock();
      const told = deliver({ signal: ending.signal }, { context: { clock, send: unanswered } });
      await setImmediate();
      ending.abort();
      const cut = { outcome: "retry", message: 'Cannot deliver to "hooks.example": it was cut off' };
      expect((await told).outcome).toEqual(cut);
      const { outcome, posts } = await deliver({ signal: ending.signal }, { context: { clock } });
      expect([outcome, posts, clock.pending]).toEqual([cut, [], 0]);
    });

    it("when it was delivered", async () => {
      const clock = new ManualClock();
      await deliver({}, { context: { clock } });
      expect(clock.pending).toBe(0);
    });
  });
});

import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { errorShape, type JoinAnswer, joinAnswerSchema, LongshoreError } from "@longshore/protocol";

const answerWithinMs = 15_000;
const maxAnswerBytes = 256 * 1024;

/** Posts a document to a broker. `ca`: PEM that its certificate must come from; without it the system's authorities are trusted. */
export async function postForCredential(url: URL, body: unknown, ca: string | undefined): Promise<JoinAnswer> {
  const { status, text } = await post(url, JSON.stringify(body), ca);
  const document = readJson(text);
  const answer = status === 200 ? joinAnswerSchema.safeParse(document).data : undefined;
  if (answer !== undefined) return answer;
  const error = errorShape.safeParse(document).data;
  if (error !== undefined) throw LongshoreError.fromShape(error);
  throw new LongshoreError("unexpected", `Cannot understand the answer of ${url.host} (HTTP ${status}): is it a Longshore broker?`);
}

/**
 * Asks one broker after the other. An answer, or an error of the broker's own, ends it; one that is not reached does not. Throws `bus_down`
 * naming every address when none was reached.
 */
export async function askBrokers<T>(urls: readonly string[], ask: (url: URL) => Promise<T>): Promise<T> {
  const failures: string[] = [];
  for (const url of urls) {
    try {
      return await ask(new URL(url));
    } catch (error) {
      if (error instanceof LongshoreError) throw error;
      failures.push(`${url} (${error instanceof Error ? error.message : String(error)})`);
    }
  }
  throw new LongshoreError("bus_down", `Cannot reach the broker at ${failures.join(", ")}: check that this host may connect to it`);
}

function post(url: URL, body: string, ca: string | undefined): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = url.protocol === "https:" ? httpsRequest : httpRequest;
    const sent = request(
      url,
      {
        method: "POST",
        headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
        signal: AbortSignal.timeout(answerWithinMs),
        agent: false,
        ...(ca !== undefined && { ca }),
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => {
          text += part;
          if (text.length > maxAnswerBytes) response.destroy(new Error("the answer is too long"));
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
        response.on("error", reject);
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

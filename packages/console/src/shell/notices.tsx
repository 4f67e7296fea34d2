import { signal } from "@preact/signals";
import { Text } from "./text.tsx";

interface Notice {
  readonly number: number;
  readonly text: string;
  readonly isBad: boolean;
}

const notices = signal<readonly Notice[]>([]);
let count = 0;
const shownMs = 8_000;

/** Says something at the edge of the page, for a while. */
export function notify(text: string, { isBad = false } = {}): void {
  const notice = { number: (count += 1), text, isBad };
  notices.value = [...notices.value.slice(-3), notice];
  setTimeout(() => close(notice), isBad ? shownMs * 2 : shownMs);
}

/** Does something for the person who asked, and says how it went; true when it went well. */
export async function act(doing: () => Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await doing();
    if (done !== undefined) notify(done);
    return true;
  } catch (error) {
    notify(error instanceof Error ? error.message : String(error), { isBad: true });
    return false;
  }
}

const close = ({ number }: Notice): void => {
  notices.value = notices.value.filter((each) => each.number !== number);
};

/** Where notices stand. */
export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map((notice) => (
        <p key={notice.number} class={notice.isBad ? "notice bad" : "notice"}>
          <Text>{notice.text}</Text>
          <button type="button" class="plain" aria-label="Close this notice" onClick={() => close(notice)}>×</button>
        </p>
      ))}
    </div>
  );
}

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

interface Question {
  readonly title: string;
  readonly text: string;
  readonly yes: string;
  readonly answer: (isYes: boolean) => void;
}

const question = signal<Question | undefined>(undefined);

/** Asks before something is done that cannot be undone; `yes` names what is done. */
export function confirm(title: string, text: string, yes: string): Promise<boolean> {
  return new Promise((resolve) => {
    question.value?.answer(false);
    question.value = {
      title, text, yes,
      answer: (isYes) => {
        question.value = undefined;
        resolve(isYes);
      },
    };
  });
}

/** Where such a question stands. */
export function Confirm() {
  const dialog = useRef<HTMLDialogElement>(null);
  const asked = question.value;
  useEffect(() => {
    if (asked !== undefined) dialog.current?.showModal();
    else dialog.current?.close();
  }, [asked]);
  return (
    <dialog ref={dialog} aria-labelledby="confirm-title" onCancel={() => asked?.answer(false)}>
      <h2 id="confirm-title">{asked?.title}</h2>
      <p>{asked?.text}</p>
      <div class="actions">
        <button type="button" onClick={() => asked?.answer(false)}>Leave it</button>
        <button type="button" class="danger" onClick={() => asked?.answer(true)}>{asked?.yes}</button>
      </div>
    </dialog>
  );
}

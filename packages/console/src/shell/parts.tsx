import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

/** The head of a screen: what it is, and what can be done. */
export function Heading({ title, children, crumbs }: { readonly title: ComponentChildren; readonly children?: ComponentChildren; readonly crumbs?: ComponentChildren }) {
  return (
    <header class="heading">
      <div>
        {crumbs !== undefined && <nav class="crumbs" aria-label="Where this is">{crumbs}</nav>}
        <h1 tabIndex={-1}>{title}</h1>
      </div>
      {children !== undefined && <div class="actions">{children}</div>}
    </header>
  );
}

/** Where there is nothing: why, and what to do next. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return <div class="empty"><h2>{title}</h2>{children}</div>;
}

/** A command to type, whole. */
export function Command({ children }: { readonly children: string }) {
  return <code class="command" tabIndex={0}>{children}</code>;
}

/** A part of a screen under a title of its own. */
export function Panel({ title, actions, children, class: name = "" }: { readonly title: ComponentChildren; readonly actions?: ComponentChildren; readonly children: ComponentChildren; readonly class?: string }) {
  const id = useId();
  return (
    <section class={`panel ${name}`} aria-labelledby={id}>
      <div class="panel-head"><h2 id={id}>{title}</h2>{actions}</div>
      {children}
    </section>
  );
}

/** What is too wide for a narrow screen, as tables are: it scrolls sideways within itself, by keyboard too. */
export function Sideways({ label, children }: { readonly label: string; readonly children: ComponentChildren }) {
  return <div class="sideways" role="group" aria-label={label} tabIndex={0}>{children}</div>;
}

/** What is plain to see from where it stands, in words for those who hear the page. */
export function Unseen({ children }: { readonly children: ComponentChildren }) {
  return <span class="unseen">{children}</span>;
}

/** A number that matters, with what it is of. */
export function Figure({ label, value, detail, tone }: { readonly label: string; readonly value: ComponentChildren; readonly detail?: ComponentChildren; readonly tone?: "bad" | "warn" | undefined }) {
  return <div class={`figure ${tone ?? ""}`}><dt>{label}</dt><dd>{value}{detail !== undefined && <small>{detail}</small>}</dd></div>;
}

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly hint?: ComponentChildren;
  readonly fault?: string | undefined;
  readonly rows?: number | undefined;
  readonly type?: "text" | "number" | "search" | "password" | undefined;
  readonly placeholder?: string;
  readonly isCode?: boolean;
  readonly list?: readonly string[];
}

/** A field with its label, what it is for, and what is wrong with what is in it. */
export function Field({ label, value, onInput, hint, fault, rows, type = "text", placeholder, isCode = false, list }: FieldProps) {
  const id = useId();
  const described = `${id}-more`;
  const given = {
    id, value, placeholder, "aria-describedby": described, "aria-invalid": fault !== undefined, "class": isCode ? "code" : "", "spellcheck": false, "autocomplete": "off" as const,
    onInput: (event: { currentTarget: { value: string } }) => onInput(event.currentTarget.value),
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {rows !== undefined ? <textarea {...given} rows={rows} /> : type === "number" ? <input {...given} type="number" /> : type === "password" ? <input {...given} type="password" /> : type === "search" ? <input {...given} type="search" /> : <input {...given} type="text" {...(list !== undefined && { list: `${id}-list` })} />}
      {list !== undefined && <datalist id={`${id}-list`}>{list.map((each) => <option key={each} value={each} />)}</datalist>}
      <p id={described} class={fault === undefined ? "hint" : "fault"}>{fault ?? hint}</p>
    </div>
  );
}

/** One of several, by its name. */
export function Choice({ label, value, options, onChange, isInline = false }: { readonly label: string; readonly value: string; readonly options: readonly (readonly [value: string, shown: string])[]; readonly onChange: (value: string) => void; readonly isInline?: boolean }) {
  const id = useId();
  return (
    <div class={isInline ? "choice" : "field"}>
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>{options.map(([each, shown]) => <option key={each} value={each} selected={each === value}>{shown}</option>)}</select>
    </div>
  );
}

/** Yes or no. */
export function Check({ label, value, onChange, hint }: { readonly label: string; readonly value: boolean; readonly onChange: (value: boolean) => void; readonly hint?: string }) {
  return <label class="check"><input type="checkbox" checked={value} onChange={(event) => onChange(event.currentTarget.checked)} /> <span>{label}{hint !== undefined && <small>{hint}</small>}</span></label>;
}

/** A share of something as a bar with its number in words. */
export function Meter({ share, label, tone = "" }: { readonly share: number; readonly label: string; readonly tone?: string }) {
  const percent = Math.round(Math.min(1, Math.max(0, share)) * 100);
  return <div class={`meter ${tone}`} role="img" aria-label={label} title={label}><span style={{ width: `${percent}%` }} /></div>;
}

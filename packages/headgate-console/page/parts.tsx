import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { sentenceOf } from "./api.ts";

/** The logo: a gate between two posts, with water under it. */
export function Mark() {
  return (
    <svg viewBox="0 0 32 32" class="mark" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" fill="#0d5f73" />
      <g fill="none" stroke="#fff" stroke-width="2.4" stroke-linecap="round">
        <path d="M8 6.5v19M24 6.5v19M8 9.5h16" />
        <path d="M13 9.5v7h6v-7" stroke-linejoin="round" />
        <path d="M8 22.5c2-1.6 3.3-1.6 5.3 0s3.4 1.6 5.4 0 3.3-1.6 5.3 0" stroke="#8fe0ee" />
      </g>
    </svg>
  );
}

interface CardProps {
  title: string;
  lead?: ComponentChildren;
  wide?: boolean;
  children: ComponentChildren;
}

export function Card({ title, lead, wide = false, children }: CardProps) {
  return (
    <section class={wide ? "card wide" : "card"} aria-label={title}>
      <h2>{title}</h2>
      {lead !== undefined && <p class="lead">{lead}</p>}
      {children}
    </section>
  );
}

export interface Column<Row> {
  head: string;
  cell: (row: Row) => ComponentChildren;
  isNumber?: boolean;
  /** Whether the cells contain sentences, which may wrap. */
  isProse?: boolean;
}

interface TableProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  empty?: string;
}

/** A table whose first column names the row. It scrolls on narrow screens. */
export function Table<Row>({ label, columns, rows, keyOf, empty }: TableProps<Row>) {
  if (rows.length === 0 && empty !== undefined) return <p class="empty">{empty}</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions need keyboard focus
    <section class="scroll" aria-label={`${label}: table`} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {columns.map(({ head, isNumber }) => (
              <th key={head} scope="col" class={isNumber ? "number" : undefined}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ head, cell, isNumber, isProse }, place) =>
                place === 0 ? (
                  <th key={head} scope="row">
                    {cell(row)}
                  </th>
                ) : (
                  <td key={head} class={isNumber ? "number" : isProse ? "prose" : undefined}>
                    {cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** A caller's name, with a link to the actions if there are any. */
export function CallerLink({ of, shown }: { of: string | null; shown: string }) {
  const readable = shown.replaceAll("\u0000", "");
  if (of === null) {
    return (
      <span class="key" title={readable}>
        {readable}
      </span>
    );
  }
  return (
    <a class="key" title={readable} href={`#callers/${encodeURIComponent(of)}`}>
      {readable}
    </a>
  );
}

export function Trouble({ children }: { children: ComponentChildren }) {
  return (
    <p class="trouble" role="alert">
      {children}
    </p>
  );
}

/**
 * Runs one action at a time. Returns whether an action is running, the last error, and a function that runs an action.
 */
export function useAction(): [
  busy: boolean,
  trouble: string | null,
  run: (work: () => Promise<void>) => void,
] {
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);
  return [
    busy,
    trouble,
    (work) => {
      if (busy) return;
      setBusy(true);
      setTrouble(null);
      work()
        .catch((error: unknown) => setTrouble(sentenceOf(error)))
        .finally(() => setBusy(false));
    },
  ];
}

let tell: (said: string) => void = () => {};
/** Announces a result to screen readers. */
export const announce = (said: string) => tell(said);

/** The live region for announcements. It is always mounted, because new live regions are not announced. */
export function Announcer() {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    tell = (said) => {
      if (element.current) element.current.textContent = said;
    };
  }, []);
  return <div ref={element} class="unseen" role="status" />;
}

/** Returns a function that reads a form's fields by name. */
export function fieldsOf(event: Event): (name: string) => string {
  event.preventDefault();
  const data = new FormData(event.currentTarget as HTMLFormElement);
  return (name) => String(data.get(name) ?? "").trim();
}

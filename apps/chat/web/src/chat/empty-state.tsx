import { Mark } from "../design/mark.tsx";

const examples = [
  {
    question: "What is my take-home on £45,000 in Scotland with student loan plan 2?",
    label: "Take-home on £45,000 in Scotland, plan 2",
  },
  { question: "Compare £50,000 and £60,000", label: "Compare £50,000 and £60,000" },
  { question: "Chart take-home from £20k to £120k", label: "Chart take-home from £20k to £120k" },
  { question: "What is the personal allowance on £110k?", label: "Personal allowance on £110k" },
];

/** Explains the page, with example questions. */
export function EmptyState({ onAsk }: { onAsk: (question: string) => void }) {
  return (
    <div className="flex grow flex-col justify-center py-4">
      <Mark className="size-11" />
      <h1 className="mt-5 text-balance font-semibold text-3xl tracking-tight sm:text-4xl">
        What would you take home?
      </h1>
      <p className="mt-3 max-w-lg text-pretty text-quiet text-[1.0625rem]">
        Ask about UK income tax in plain words. Every figure is worked out by a calculator, never guessed.
      </p>
      <ul aria-label="Examples" className="mt-8 grid gap-2.5 sm:grid-cols-2">
        {examples.map(({ question, label }) => (
          <li key={question}>
            <button
              type="button"
              onClick={() => onAsk(question)}
              className="flex h-full min-h-14 w-full items-center rounded-2xl border border-line bg-raised px-4 py-3 text-start leading-snug shadow-soft transition-colors hover:border-accent hover:bg-accent-tint"
            >
              {label}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

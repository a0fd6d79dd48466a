import { Pencil, RefreshCw } from "lucide-react";
import { memo, type ReactNode, Suspense } from "react";
import type { ChatMessage } from "../../../contract.ts";
import { Button, iconButtonClass } from "../design/button.tsx";
import { CopyButton } from "../design/copy-button.tsx";
import { ErrorBoundary } from "../design/error-boundary.tsx";
import { loadedAhead } from "../design/loaded-ahead.tsx";
import { isTooCostly } from "./markdown-cost.ts";
import { isEmptyAnswer, textOf, toolCallOf } from "./message.ts";
import { ToolFigure, ToolStep } from "./tools/tool-step.tsx";

const Markdown = loadedAhead(() => import("./markdown.tsx").then((module) => module.default));
/** Preloads the code for Markdown while a question is being written. */
export const loadMarkdown = Markdown.load;

interface QuestionProps {
  message: ChatMessage;
  /** Edits the question; absent if nothing can be changed, such as on a shared page. */
  onEdit?: ((message: ChatMessage) => void) | undefined;
}

/** A question of the thread. */
export const Question = memo(function Question({ message, onEdit }: QuestionProps) {
  return (
    <article
      aria-label="You"
      className="group flex flex-row-reverse items-center gap-1 pointer-coarse:flex-col pointer-coarse:items-end"
    >
      <div
        dir="auto"
        className="question max-w-[85%] whitespace-pre-wrap break-words rounded-2xl rounded-ee-md bg-accent-tint px-4 py-2.5"
      >
        {textOf(message)}
      </div>
      {onEdit && (
        <Actions>
          <CopyButton label="Copy question" className={iconButtonClass} text={() => textOf(message)} />
          <button
            type="button"
            aria-label="Edit question"
            title="Edit question"
            className={iconButtonClass}
            onClick={() => onEdit(message)}
          >
            <Pencil aria-hidden="true" />
          </button>
        </Actions>
      )}
    </article>
  );
});

interface AnswerProps {
  message: ChatMessage;
  /** Whether the answer is being written. */
  live: boolean;
  onRetry?: ((answerId: string) => void) | undefined;
  onContinue?: ((answerId: string) => void) | undefined;
  /** Asks a follow-up question; absent if none can be asked now. */
  onAsk?: ((question: string) => void) | undefined;
}

const howItEnded = {
  stopped: "Stopped before the end",
  failed: "Cut off before the end",
  credit: "Ended here: your credit is used up",
  quota: "Ended here: your tokens are used up for now",
};

/** An answer: its steps, figures and text, in the order of arrival. */
export const Answer = memo(function Answer({ message, live, onRetry, onContinue, onAsk }: AnswerProps) {
  const { incomplete, model, suggestions, supplied } = message.metadata ?? {};
  const text = textOf(message);
  return (
    <article aria-label="Headgate" aria-busy={live} className="group">
      {supplied && (
        <p className="mb-1.5 text-quiet text-sm">
          Not written by Headgate: this answer was sent together with a question.
        </p>
      )}
      {message.parts.map((part, index) => {
        const key = `${index}-${part.type}`;
        if (part.type === "text") {
          return <Words key={key} text={part.text} streaming={live} />;
        }
        if (part.type === "reasoning" && part.text !== "") {
          return (
            <details key={key} className="my-1.5 text-quiet text-sm">
              <summary className="inline-flex min-h-8 items-center">Thinking</summary>
              <p dir="auto" className="whitespace-pre-wrap border-line border-s-2 ps-4">
                {part.text}
              </p>
            </details>
          );
        }
        const call = toolCallOf(part);
        if (call) {
          return (
            <div key={call.id}>
              <ToolStep call={call} live={live} />
              <ToolFigure call={call} />
            </div>
          );
        }
        return null;
      })}
      {live && isEmptyAnswer(message) && <FirstTokenIndicator />}
      {incomplete && !live && (
        <div className="mt-3 flex flex-wrap items-center gap-x-3 gap-y-2 text-quiet text-sm">
          <span className="rounded-full border border-line px-2.5 py-0.5">{howItEnded[incomplete]}</span>
          {onContinue && (
            <Button size="small" onClick={() => onContinue(message.id)}>
              Continue
            </Button>
          )}
        </div>
      )}
      {!live && onAsk && suggestions && <Suggestions questions={suggestions} onAsk={onAsk} />}
      {!live && (text !== "" || onRetry) && (
        <Actions model={model} className="mt-1 -ms-2">
          {text !== "" && <CopyButton label="Copy answer" className={iconButtonClass} text={() => text} />}
          {onRetry && (
            <button
              type="button"
              aria-label="Answer again"
              title="Answer again"
              className={iconButtonClass}
              onClick={() => onRetry(message.id)}
            >
              <RefreshCw aria-hidden="true" />
            </button>
          )}
        </Actions>
      )}
    </article>
  );
});

/** Buttons for follow-up questions. */
function Suggestions({
  questions,
  onAsk,
}: {
  questions: readonly string[];
  onAsk: (question: string) => void;
}) {
  return (
    <ul aria-label="Follow-up questions" className="mt-3 flex list-none! flex-wrap gap-2 p-0!">
      {questions.map((question) => (
        <li key={question} className="my-0!">
          <Button size="small" onClick={() => onAsk(question)}>
            {question}
          </Button>
        </li>
      ))}
    </ul>
  );
}

/** Shows plain text until the code for Markdown is loaded, or if it cannot be loaded. */
function Words({ text, streaming }: { text: string; streaming: boolean }) {
  const plain = <PlainWords text={text} />;
  if (isTooCostly(text)) return plain;
  return (
    <ErrorBoundary fallback={plain}>
      <Suspense fallback={plain}>
        <Markdown text={text} streaming={streaming} />
      </Suspense>
    </ErrorBoundary>
  );
}

/** Plain paragraphs with the spacing of Markdown, so that they move little when Markdown replaces them. */
function PlainWords({ text }: { text: string }) {
  const paragraphs = text.split(/\n{2,}/);
  return (
    <div className="answer">
      {[...paragraphs.entries()].map(([index, paragraph]) => (
        <p key={index} dir="auto" className="whitespace-pre-wrap">
          {paragraph}
        </p>
      ))}
    </div>
  );
}

interface ActionsProps {
  children: ReactNode;
  model?: string | undefined;
  className?: string;
}

/** The buttons of a message. They appear when it is hovered or focused, and are always visible on touch screens. */
function Actions({ children, model, className = "" }: ActionsProps) {
  return (
    <div
      className={`${className} unprinted flex min-h-9 shrink-0 items-center gap-0.5 opacity-0 transition-opacity focus-within:opacity-100 group-hover:opacity-100 group-last/thread:opacity-100 pointer-coarse:opacity-100`}
    >
      {children}
      {model && <span className="ms-2 text-quiet text-xs">{model}</span>}
    </div>
  );
}

/** Shown after a question is sent, until the first word of its answer. */
export function FirstTokenIndicator() {
  return (
    <p role="img" className="flex min-h-8 items-center gap-1" aria-label="Working on an answer">
      <span className="ripple flex gap-1.5" aria-hidden="true">
        <span className="size-2 rounded-full bg-accent" />
        <span className="size-2 rounded-full bg-accent" />
        <span className="size-2 rounded-full bg-accent" />
      </span>
    </p>
  );
}

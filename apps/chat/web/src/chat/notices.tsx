import type { RateLimitedError } from "headgate/client";
import { RateLimitNotice, useCountdown } from "headgate/react";
import { TimerReset } from "lucide-react";
import { announce } from "../design/announcer.tsx";
import { buttonClass } from "../design/button.tsx";
import { useObservable } from "../design/observable.ts";
import type { Failure } from "../service/failure.ts";
import { online } from "../service/online.ts";
import { useRefusal } from "../service/use-refusal.ts";
import { type Action, backOnline, type ShownFailure, wordsFor } from "./failure-words.tsx";
import "./notices.css";
import { isOfPlaces, refusalWords } from "./refusal-words.ts";

interface NoticeProps<Told = Failure> {
  failure: Told;
  onResend: Action;
  /** Moves the draft to a new chat. */
  onStartOver: Action;
}

/** The notice shown in place of an answer: the failure, and the action for it. It is never part of the thread. */
export function Notice({ failure, onResend, onStartOver }: NoticeProps) {
  const shared = useRefusal();
  if (failure.kind === "refused") {
    // Another tab may have a later refusal, with a later deadline.
    const error = shared && shared.deadline > failure.error.deadline ? shared : failure.error;
    // Since the refusal, an answer has ended, so the refusal was cleared in every tab.
    const hasEnded = isOfPlaces(error) && !shared;
    return <Refused error={error} deadline={hasEnded ? 0 : error.deadline} hasDraft onResend={onResend} />;
  }
  // The paywall is a separate dialog.
  if (failure.kind === "unpaid") return null;
  return <FailureNotice failure={failure} onResend={onResend} onStartOver={onStartOver} />;
}

/**
 * The notice for a caller who was refused in another tab, in another conversation or before a reload, since a message
 * from this page would be refused too. After the wait, the notice offers to send the draft, if there is one.
 */
export function SharedNotice({ hasDraft, onResend }: { hasDraft: boolean; onResend: Action }) {
  const refusal = useRefusal();
  const { done } = useCountdown(refusal?.deadline);
  if (!refusal || (done && !hasDraft)) return null;
  return <Refused error={refusal} deadline={refusal.deadline} hasDraft={hasDraft} onResend={onResend} />;
}

interface RefusedProps {
  error: RateLimitedError;
  deadline: number;
  /** Whether there is a draft to send after the wait. */
  hasDraft: boolean;
  onResend: Action;
}

function Refused({ error, deadline, hasDraft, onResend }: RefusedProps) {
  const words = refusalWords(error);
  return (
    <div className="arrive unprinted flex gap-3 rounded-2xl border border-warn-line bg-warn-tint p-4">
      <TimerReset aria-hidden="true" className="mt-0.5 size-5 shrink-0 text-warn" />
      <RateLimitNotice
        deadline={deadline}
        onRetry={onResend}
        announce={announce}
        labels={words}
        data-idle={hasDraft ? undefined : ""}
        className="flex min-w-0 grow flex-wrap items-center justify-between gap-x-4 gap-y-2"
      >
        {({ seconds, done }) => (
          <>
            <p className="tabular font-medium">{done ? words.ready : words.waiting(seconds)}</p>
            <p className="text-quiet text-sm">
              {hasDraft
                ? "Nothing is lost: your message is still below."
                : "You can write your next message in the meantime."}
            </p>
            <RequestId id={error.problem?.request_id} />
          </>
        )}
      </RateLimitNotice>
    </div>
  );
}

function FailureNotice({ failure, onResend, onStartOver }: NoticeProps<ShownFailure>) {
  const connected = useObservable(online);
  const words =
    failure.kind === "offline" && connected ? backOnline(onResend) : wordsFor(failure, onResend, onStartOver);
  const requestId = "requestId" in failure ? failure.requestId : undefined;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for the fields of a form
    <div
      role="group"
      aria-label={words.title}
      className="arrive unprinted flex gap-3 rounded-2xl border border-bad-line bg-bad-tint p-4"
    >
      <span className="mt-0.5 text-bad [&_svg]:size-5">{words.icon}</span>
      <div className="flex min-w-0 grow flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <div className="min-w-0">
          <p className="font-medium">{words.title}</p>
          <p className="text-quiet text-sm">{words.detail}</p>
          <RequestId id={requestId} />
        </div>
        <button type="button" className={buttonClass("outline", "small")} onClick={() => void words.act()}>
          {words.action}
        </button>
      </div>
    </div>
  );
}

/**
 * Shows the id by which the operator finds the request. A response body can contain anything, so only text is shown.
 */
function RequestId({ id }: { id: unknown }) {
  if (typeof id !== "string" || id === "") return null;
  return <p className="mt-1 break-all text-quiet text-xs">Request {id}</p>;
}

import { Ban, CircleAlert, LogIn, Wifi, WifiOff } from "lucide-react";
import type { ReactNode } from "react";
import { navigate } from "../router.tsx";
import type { Failure } from "../service/failure.ts";

export type Action = () => Promise<void> | void;

/** A failure that is shown as text. Refusals have a countdown, and the paywall is a dialog. */
export type ShownFailure = Exclude<Failure, { kind: "refused" | "unpaid" }>;

/** The text and the action for a failure. */
export interface FailureWords {
  icon: ReactNode;
  title: string;
  detail: string;
  action: string;
  act: Action;
}

const alert = <CircleAlert aria-hidden="true" />;
const unplugged = <WifiOff aria-hidden="true" />;

/** Returns the words for a failure. `resend` sends the message again; `startOver` begins a new chat. */
export function wordsFor(failure: ShownFailure, resend: Action, startOver: Action): FailureWords {
  const again = { action: "Try again", act: resend };
  switch (failure.kind) {
    case "offline":
      return {
        icon: unplugged,
        title: "You're offline.",
        detail: "Your message is still below. Send it when you're back online.",
        ...again,
      };
    case "unreachable":
      return {
        icon: unplugged,
        title: "The service can't be reached.",
        detail: "Your message is still below. Please try again in a moment.",
        ...again,
      };
    case "server":
      return {
        icon: alert,
        title: "Something went wrong on our side.",
        detail: "Your message is still below, and nothing was charged for it.",
        ...again,
      };
    case "model":
      return { icon: alert, title: "The model did not answer.", detail: failure.detail, ...again };
    case "broken-off":
      return {
        icon: alert,
        title: "The answer was cut off.",
        detail: failure.connection
          ? "The connection was lost. The part that arrived is saved."
          : "The part that arrived is saved.",
        action: "Answer again",
        act: resend,
      };
    case "rejected":
      return { icon: alert, title: "This message was not accepted.", detail: failure.detail, ...again };
    case "blocked":
      return {
        icon: <Ban aria-hidden="true" />,
        title: "You can't send messages here.",
        detail:
          "This account or network has been blocked. You can still read your conversations. If this is a mistake, contact the operator of this service.",
        action: "Check again",
        act: resend,
      };
    case "signed-out":
      return {
        icon: <LogIn aria-hidden="true" />,
        title: failure.required ? "Sign in to get an answer." : "Your session has ended.",
        detail: failure.required
          ? "You need an account to get answers here. Your draft is saved."
          : "Sign in again to continue. Your draft is saved.",
        action: "Sign in",
        act: () => navigate(`/sign-in?next=${encodeURIComponent(location.pathname)}`),
      };
    case "gone":
      return {
        icon: alert,
        title: "This conversation is gone.",
        detail: "It was deleted, or it belongs to someone else.",
        action: "Start a new chat",
        act: startOver,
      };
  }
}

/** Returns the words for a connection that works again after an `offline` failure. */
export function backOnline(resend: Action): FailureWords {
  return {
    icon: <Wifi aria-hidden="true" />,
    title: "You're back online.",
    detail: "Your message is still below.",
    action: "Send now",
    act: resend,
  };
}

const nothing = () => undefined;

/** Returns the announcement for screen readers; empty for failures that announce themselves. */
export function spokenFailure(failure: Failure): string {
  if (failure.kind === "refused" || failure.kind === "unpaid") return "";
  const { title, detail } = wordsFor(failure, nothing, nothing);
  return `${title} ${detail}`;
}

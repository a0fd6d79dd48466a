import { type FormEvent, useId, useRef, useState } from "react";
import { announce } from "../design/announcer.tsx";
import { Button } from "../design/button.tsx";
import { Mark } from "../design/mark.tsx";
import { Link, navigate } from "../router.tsx";
import { authTroubleOf, shortestPassword } from "./authenticate.ts";
import { Field, linkClass, Trouble } from "./form.tsx";
import { requestReset, resetPassword } from "./settings.ts";

const words = {
  "forgot-password": {
    title: "Forgotten your password?",
    lead: "We’ll send you a link to choose a new one.",
    action: "Send the link",
    done: "If there is an account with this address, we’ve sent a link to it. The link works for one hour.",
  },
  "reset-password": {
    title: "Choose a new password",
    lead: "This signs you out everywhere. Then sign in with your new password.",
    action: "Save the password",
    done: "Your new password is saved. Please sign in with it.",
  },
} as const;

/** The pages to request a reset link, and to choose a new password with it. */
export function PasswordPage({ page }: { page: "forgot-password" | "reset-password" }) {
  const text = words[page];
  const [trouble, setTrouble] = useState<string | null>(null);
  const [isDone, setIsDone] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const id = useId();
  // The token is in the fragment, which browsers do not send.
  const token = location.hash.slice(1);
  const isAsking = page === "forgot-password";

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const value = field.current?.value.trim() ?? "";
    try {
      if (value === "")
        throw new Error(isAsking ? "Please enter your e-mail address." : "Please enter a password.");
      await (isAsking ? requestReset(value) : resetPassword(token, value));
      setTrouble(null);
      setIsDone(true);
      announce(text.done);
      // Remove the used token from the address bar and the history.
      if (!isAsking) navigate(location.pathname, { replace: true });
    } catch (error) {
      const { sentence } =
        error instanceof Error && error.constructor === Error
          ? { sentence: error.message }
          : authTroubleOf(error);
      setTrouble(sentence);
      announce(sentence);
      field.current?.focus();
    }
  };

  return (
    <div className="grid min-h-0 grow place-items-center overflow-y-auto px-4 py-10">
      <div className="w-full max-w-sm">
        <Mark className="size-10" />
        <h1 className="mt-5 font-semibold text-2xl tracking-tight">{text.title}</h1>
        <p className="mt-1.5 text-pretty text-quiet">{isDone ? text.done : text.lead}</p>
        {!isDone && (
          <form className="mt-7 space-y-4" noValidate onSubmit={(event) => void submit(event)}>
            <Field
              ref={field}
              id={`${id}-value`}
              label={isAsking ? "E-mail" : "New password"}
              type={isAsking ? "email" : "password"}
              autoComplete={isAsking ? "username" : "new-password"}
              hint={isAsking ? undefined : `At least ${shortestPassword} characters.`}
              invalid={trouble !== null}
            />
            {trouble && <Trouble>{trouble}</Trouble>}
            <Button type="submit" look="solid" className="w-full">
              {text.action}
            </Button>
          </form>
        )}
        <p className="mt-6 text-sm">
          <Link href="/sign-in" className={linkClass}>
            {isDone && !isAsking ? "Sign in" : "Back to signing in"}
          </Link>
        </p>
      </div>
    </div>
  );
}

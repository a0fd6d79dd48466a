import { useCountdown } from "headgate/react";
import { Eye, EyeOff } from "lucide-react";
import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { announce } from "../design/announcer.tsx";
import { Button, iconButtonClass } from "../design/button.tsx";
import { Mark } from "../design/mark.tsx";
import { hasKeyboard } from "../design/media.ts";
import { useObservable } from "../design/observable.ts";
import { Link } from "../router.tsx";
import { type AuthTrouble, authTroubleOf, shortestPassword, signIn, signUp } from "./authenticate.ts";
import { afterSigningIn } from "./change-caller.ts";
import { me } from "./me.ts";
import { nextPath } from "./next-path.ts";

const words = {
  "sign-in": {
    title: "Welcome back",
    lead: "Sign in to see your conversations on every device.",
    action: "Sign in",
    busy: "Signing in …",
    other: "No account yet?",
    otherAction: "Create one",
    otherPath: "/sign-up",
  },
  "sign-up": {
    title: "Create an account",
    lead: "The conversations in this browser move to your account.",
    action: "Create account",
    busy: "Creating your account …",
    other: "Already have an account?",
    otherAction: "Sign in",
    otherPath: "/sign-in",
  },
} as const;

/** The page to sign in or sign up, with two fields that password managers recognise. */
export function AuthPage({ page }: { page: "sign-in" | "sign-up" }) {
  const text = words[page];
  const [trouble, setTrouble] = useState<AuthTrouble | null>(null);
  const [busy, setBusy] = useState(false);
  const [revealed, setRevealed] = useState(false);
  const email = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);
  const id = useId();
  useEffect(() => {
    if (hasKeyboard()) email.current?.focus();
  }, []);
  const wait = useCountdown(trouble?.deadline ?? null);
  const offers = useObservable(me)?.accounts;

  const fail = (found: AuthTrouble) => {
    setTrouble(found);
    announce(found.sentence);
    (found.field === "email" ? email : password).current?.focus();
  };

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    // Read the values from the elements, because password managers do not always trigger React's events.
    const credentials = { email: email.current?.value.trim() ?? "", password: password.current?.value ?? "" };
    if (!/^\S+@\S+$/.test(credentials.email)) {
      return fail({
        sentence: "Please enter your e-mail address, such as name@example.com.",
        field: "email",
      });
    }
    if (credentials.password === "")
      return fail({ sentence: "Please enter your password.", field: "password" });
    if (page === "sign-up" && credentials.password.length < shortestPassword) {
      return fail({
        sentence: `Please choose a password of at least ${shortestPassword} characters.`,
        field: "password",
      });
    }
    setBusy(true);
    setTrouble(null);
    try {
      await (page === "sign-in" ? signIn(credentials) : signUp(credentials));
      await afterSigningIn(nextPath(location.search));
    } catch (error) {
      fail(authTroubleOf(error));
    } finally {
      setBusy(false);
    }
  };

  const field =
    "h-11 w-full rounded-xl border border-line-strong bg-raised px-3.5 text-base outline-none focus:border-accent focus:ring-1 focus:ring-accent aria-invalid:border-bad";
  return (
    <div className="grid min-h-0 grow place-items-center overflow-y-auto px-4 py-10">
      <div className="w-full max-w-sm">
        <Mark className="size-10" />
        <h1 className="mt-5 font-semibold text-2xl tracking-tight">{text.title}</h1>
        <p className="mt-1.5 text-pretty text-quiet">{text.lead}</p>
        <form className="mt-7 space-y-4" noValidate onSubmit={(event) => void submit(event)}>
          <div>
            <label htmlFor={`${id}-email`} className="mb-1.5 block font-medium text-sm">
              E-mail
            </label>
            <input
              ref={email}
              id={`${id}-email`}
              name="email"
              type="email"
              inputMode="email"
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              required
              aria-invalid={trouble?.field === "email"}
              aria-describedby={trouble ? `${id}-trouble` : undefined}
              className={field}
            />
          </div>
          <div>
            <label htmlFor={`${id}-password`} className="mb-1.5 block font-medium text-sm">
              Password
            </label>
            <div className="relative">
              <input
                ref={password}
                id={`${id}-password`}
                name="password"
                type={revealed ? "text" : "password"}
                autoComplete={page === "sign-in" ? "current-password" : "new-password"}
                required
                minLength={page === "sign-up" ? shortestPassword : undefined}
                aria-invalid={trouble?.field === "password"}
                aria-describedby={
                  [trouble ? `${id}-trouble` : "", page === "sign-up" ? `${id}-hint` : ""].join(" ").trim() ||
                  undefined
                }
                className={`${field} pe-12`}
              />
              <button
                type="button"
                aria-label={revealed ? "Hide password" : "Show password"}
                title={revealed ? "Hide password" : "Show password"}
                onClick={() => setRevealed(!revealed)}
                className={`${iconButtonClass} absolute! inset-y-0 right-1 my-auto`}
              >
                {revealed ? <EyeOff aria-hidden="true" /> : <Eye aria-hidden="true" />}
              </button>
            </div>
            {page === "sign-up" && (
              <p id={`${id}-hint`} className="mt-1.5 text-quiet text-sm">
                At least {shortestPassword} characters.
              </p>
            )}
          </div>
          {trouble && (
            <p
              id={`${id}-trouble`}
              className="tabular rounded-xl border border-bad-line bg-bad-tint px-4 py-2.5 text-bad text-sm"
            >
              {trouble.sentence}
              {trouble.deadline !== undefined &&
                (wait.done ? " You can try again now." : ` Please try again in ${wait.seconds} s.`)}
            </p>
          )}
          <Button type="submit" look="solid" className="w-full" aria-disabled={busy}>
            {busy ? text.busy : text.action}
          </Button>
        </form>
        {page === "sign-in" && offers?.mail && (
          <p className="mt-4 text-sm">
            <Link href="/forgot-password" className="font-medium text-accent underline underline-offset-3">
              Forgotten your password?
            </Link>
          </p>
        )}
        {page === "sign-up" && offers?.signUp === false && (
          <p className="mt-4 text-quiet text-sm">Only the operator of this service can create accounts.</p>
        )}
        <p className="mt-6 text-quiet text-sm">
          {text.other}{" "}
          <Link
            href={`${text.otherPath}${location.search}`}
            className="font-medium text-accent underline underline-offset-3"
          >
            {text.otherAction}
          </Link>
        </p>
        {!offers?.required && (
          <p className="mt-2 text-quiet text-sm">
            <Link
              href={nextPath(location.search)}
              className="font-medium text-accent underline underline-offset-3"
            >
              Continue without an account
            </Link>
          </p>
        )}
      </div>
    </div>
  );
}

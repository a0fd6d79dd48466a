import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import type { AccountSession } from "../../../contract.ts";
import { announce } from "../design/announcer.tsx";
import { Button, buttonClass } from "../design/button.tsx";
import { useObservable } from "../design/observable.ts";
import { Link } from "../router.tsx";
import { authTroubleOf, shortestPassword } from "./authenticate.ts";
import { afterSigningOut } from "./change-caller.ts";
import { Field, Trouble } from "./form.tsx";
import { me } from "./me.ts";
import { formatMoney } from "./money.ts";
import { RedeemCode } from "./redeem-code.tsx";
import {
  browserName,
  changePassword,
  deleteAccount,
  endOtherSessions,
  endSession,
  listSessions,
  requestConfirmation,
} from "./settings.ts";

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });

/** The page on which an owner manages their account. */
export function AccountPage() {
  const current = useObservable(me);
  if (!current) return null;
  const account = current.caller.kind === "account" ? current.caller : null;
  if (!account) {
    return (
      <div className="grid grow place-items-center px-6 text-center">
        <div>
          <h1 className="font-semibold text-xl">You are not signed in.</h1>
          <p className="mt-1 mb-6 text-quiet">Sign in to see your account’s settings.</p>
          <Link href="/sign-in?next=/account" className={buttonClass("solid")}>
            Sign in
          </Link>
        </div>
      </div>
    );
  }
  return (
    <div className="min-h-0 grow overflow-y-auto">
      <div className="mx-auto w-full max-w-2xl space-y-9 px-4 pt-6 pb-16 sm:px-6">
        <div>
          <h1 className="font-semibold text-2xl tracking-tight">Your account</h1>
          <p className="mt-1 break-all text-quiet">
            {account.email}
            {current.plan !== null && ` · ${current.plan} plan`}
          </p>
        </div>
        {current.accounts.mail && !account.emailVerified && <Confirmation email={account.email} />}
        <Sessions />
        <Password />
        {current.credit && (
          <Section
            title="Credit"
            lead={`You have ${formatMoney(current.credit.balance, current.credit.currency)}. To add credit, use a code from the person who runs this service.`}
          >
            <div className="max-w-sm">
              <RedeemCode />
            </div>
          </Section>
        )}
        <Section
          title="Your data"
          lead="Everything we keep about your account, in one file: conversations, credit, sessions."
        >
          <a href="/account/export" download className={buttonClass()}>
            Download your data
          </a>
        </Section>
        <Deletion />
      </div>
    </div>
  );
}

function Section({ title, lead, children }: { title: string; lead: string; children: ReactNode }) {
  return (
    <section className="border-line border-t pt-6">
      <h2 className="font-semibold text-lg">{title}</h2>
      <p className="mt-1 mb-4 text-pretty text-quiet text-sm">{lead}</p>
      {children}
    </section>
  );
}

function Confirmation({ email }: { email: string }) {
  const [told, setTold] = useState("");
  const send = () => {
    requestConfirmation(email)
      .then(() => "The e-mail is on its way.")
      .catch((error: unknown) => authTroubleOf(error).sentence)
      .then((sentence) => {
        setTold(sentence);
        announce(sentence);
      });
  };
  return (
    <Section
      title="Confirm your e-mail address"
      lead="The link in the e-mail that we sent you starts your monthly allowance."
    >
      <Button onClick={send}>Send the e-mail again</Button>
      {told && <p className="mt-3 text-quiet text-sm">{told}</p>}
    </Section>
  );
}

function Sessions() {
  const [sessions, setSessions] = useState<AccountSession[]>([]);
  const [trouble, setTrouble] = useState<string | null>(null);
  const load = () => {
    listSessions()
      .then(setSessions)
      .catch((error: unknown) => setTrouble(authTroubleOf(error).sentence));
  };
  useEffect(load, []);

  const end = (ending: Promise<void>, said: string) => {
    ending
      .then(() => {
        announce(said);
        load();
      })
      .catch((error: unknown) => setTrouble(authTroubleOf(error).sentence));
  };
  const others = sessions.filter(({ isCurrent }) => !isCurrent);
  return (
    <Section
      title="Where you are signed in"
      lead="If you don’t recognise a session, end it and change your password."
    >
      <ul className="divide-y divide-line rounded-xl border border-line">
        {sessions.map((session) => (
          <li key={session.id} className="flex min-h-14 flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2">
            <span className="min-w-0 grow">
              <span className="block truncate font-medium text-sm">
                {browserName(session.userAgent)}
                {session.isCurrent && <span className="font-normal text-quiet"> · this one</span>}
              </span>
              <span className="block text-quiet text-xs">
                since {day.format(Date.parse(session.createdAt))}, used{" "}
                {day.format(Date.parse(session.usedAt))}
              </span>
            </span>
            {!session.isCurrent && (
              <Button
                size="small"
                aria-label={`End the session of ${browserName(session.userAgent)}`}
                onClick={() => end(endSession(session.id), "The session has ended.")}
              >
                End
              </Button>
            )}
          </li>
        ))}
      </ul>
      {others.length > 1 && (
        <Button className="mt-3" onClick={() => end(endOtherSessions(), "All other sessions have ended.")}>
          End all others
        </Button>
      )}
      {trouble && (
        <div className="mt-3">
          <Trouble>{trouble}</Trouble>
        </div>
      )}
    </Section>
  );
}

function Password() {
  const [trouble, setTrouble] = useState<string | null>(null);
  const [isDone, setIsDone] = useState(false);
  const current = useRef<HTMLInputElement>(null);
  const next = useRef<HTMLInputElement>(null);
  const id = useId();

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    setTrouble(null);
    setIsDone(false);
    try {
      await changePassword(current.current?.value ?? "", next.current?.value ?? "");
      form.reset();
      setIsDone(true);
      announce("Your password has been changed, and your other sessions have ended.");
    } catch (error) {
      const { sentence } = authTroubleOf(error);
      setTrouble(sentence);
      announce(sentence);
    }
  };
  return (
    <Section title="Change your password" lead="This ends your other sessions.">
      <form className="max-w-sm space-y-4" noValidate onSubmit={(event) => void submit(event)}>
        <Field
          ref={current}
          id={`${id}-current`}
          label="Current password"
          type="password"
          autoComplete="current-password"
        />
        <Field
          ref={next}
          id={`${id}-next`}
          label="New password"
          type="password"
          autoComplete="new-password"
          hint={`At least ${shortestPassword} characters.`}
        />
        {trouble && <Trouble>{trouble}</Trouble>}
        {isDone && <p className="text-quiet text-sm">Your password has been changed.</p>}
        <Button type="submit">Change the password</Button>
      </form>
    </Section>
  );
}

function Deletion() {
  const [isAsked, setIsAsked] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);
  const password = useRef<HTMLInputElement>(null);
  const id = useId();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    try {
      await deleteAccount(password.current?.value ?? "");
      await afterSigningOut();
    } catch (error) {
      const { sentence } = authTroubleOf(error);
      setTrouble(sentence);
      announce(sentence);
    }
  };
  return (
    <Section
      title="Delete your account"
      lead="This deletes your conversations, shared links and credit immediately. It can’t be undone."
    >
      {!isAsked && <Button onClick={() => setIsAsked(true)}>Delete the account …</Button>}
      {isAsked && (
        <form className="max-w-sm space-y-4" noValidate onSubmit={(event) => void submit(event)}>
          <Field
            ref={password}
            id={`${id}-password`}
            label="Your password, to confirm"
            type="password"
            autoComplete="current-password"
          />
          {trouble && <Trouble>{trouble}</Trouble>}
          <div className="flex gap-2">
            <Button type="submit" look="danger">
              Delete everything
            </Button>
            <Button onClick={() => setIsAsked(false)}>Keep it</Button>
          </div>
        </form>
      )}
    </Section>
  );
}

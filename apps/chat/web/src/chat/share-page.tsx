import { useEffect, useState } from "react";
import type { SharedConversation } from "../../../contract.ts";
import { buttonClass } from "../design/button.tsx";
import { Mark } from "../design/mark.tsx";
import { Link } from "../router.tsx";
import { api } from "../service/api.ts";
import { type Failure, failureOf } from "../service/failure.ts";
import { online } from "../service/online.ts";
import { Answer, Question } from "./message-view.tsx";
import { PageFailure } from "./page-failure.tsx";

type Loading =
  | { status: "loading" }
  | { status: "failed"; failure: Failure }
  | { status: "ready"; shared: SharedConversation };

const date = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });

/** The page of a shared conversation, which is read-only. */
export function SharePage({ token }: { token: string }) {
  const [loading, setLoading] = useState<Loading>({ status: "loading" });
  const [attempt, setAttempt] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt loads again
  useEffect(() => {
    const leaving = new AbortController();
    setLoading({ status: "loading" });
    api<SharedConversation>(`/shared/${encodeURIComponent(token)}`, { signal: leaving.signal })
      .then((shared) => setLoading({ status: "ready", shared }))
      .catch((error: unknown) => {
        if (!leaving.signal.aborted)
          setLoading({ status: "failed", failure: failureOf(error, { online: online.get() }) });
      });
    return () => leaving.abort();
  }, [token, attempt]);

  useEffect(() => {
    if (loading.status === "ready") document.title = `${loading.shared.title} · Headgate`;
  }, [loading]);

  return (
    <div className="printed flex h-dvh flex-col">
      <header className="unprinted flex min-h-14 shrink-0 items-center justify-between border-line border-b px-4 pt-[env(safe-area-inset-top)]">
        <Link href="/" className="flex items-center gap-2.5 rounded-lg font-semibold tracking-tight">
          <Mark className="size-7" />
          Headgate
        </Link>
        <Link href="/" className={buttonClass("solid", "small")}>
          Ask your own question
        </Link>
      </header>
      <main id="main" tabIndex={-1} className="printed min-h-0 grow overflow-y-auto outline-none">
        {loading.status === "failed" && loading.failure.kind === "gone" && <Withdrawn />}
        {loading.status === "failed" && loading.failure.kind !== "gone" && (
          <PageFailure failure={loading.failure} onRetry={() => setAttempt((count) => count + 1)} />
        )}
        {loading.status === "loading" && (
          <p role="status" className="py-24 text-center text-quiet">
            Loading the conversation …
          </p>
        )}
        {loading.status === "ready" && (
          <div className="mx-auto flex w-full max-w-3xl flex-col gap-5 px-4 pt-8 pb-[max(3rem,env(safe-area-inset-bottom))] sm:px-6">
            <div className="border-line border-b pb-5">
              <h1 dir="auto" className="text-balance font-semibold text-2xl tracking-tight">
                {loading.shared.title}
              </h1>
              <p className="mt-1 text-quiet text-sm">
                Shared conversation from {date.format(Date.parse(loading.shared.createdAt))}. Read only.
              </p>
            </div>
            {loading.shared.messages.map((message) =>
              message.role === "user" ? (
                <Question key={message.id} message={message} />
              ) : (
                <Answer key={message.id} message={message} live={false} />
              ),
            )}
          </div>
        )}
      </main>
    </div>
  );
}

function Withdrawn() {
  return (
    <div className="mx-auto flex max-w-sm flex-col items-center px-6 py-24 text-center">
      <Mark className="size-12" />
      <h1 className="mt-5 font-semibold text-lg">This link no longer works.</h1>
      <p className="mt-1 mb-6 text-quiet">
        The person who shared this conversation may have removed the link, or the address may be wrong.
      </p>
      <Link href="/" className={buttonClass("solid")}>
        Ask your own question
      </Link>
    </div>
  );
}

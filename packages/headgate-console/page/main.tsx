import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Session } from "../src/serving/view.ts";
import { api, onSessionEnd, sentenceOf } from "./api.ts";
import { CallersView } from "./callers.tsx";
import { LogView } from "./log.tsx";
import { NowView } from "./now.tsx";
import { Announcer, fieldsOf, Mark, Trouble, useAction } from "./parts.tsx";
import { PoliciesView } from "./policy.tsx";
import "./style.css";

const PLACES = [
  { id: "now", name: "Now" },
  { id: "callers", name: "Callers" },
  { id: "log", name: "Log" },
  { id: "policy", name: "Policy" },
] as const;

/** Parses a location such as `#callers/ann%40example.com`. */
function placeIn(hash: string): { id: string; query: string } {
  const [id = "", query = ""] = hash.replace(/^#/, "").split("/");
  try {
    return { id, query: decodeURIComponent(query) };
  } catch {
    return { id, query: "" };
  }
}

function usePlace() {
  const [place, setPlace] = useState(() => placeIn(location.hash));
  useEffect(() => {
    const changed = () => setPlace(placeIn(location.hash));
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return place;
}

function Console() {
  const [session, setSession] = useState<Session | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const load = (why: string | null = null) => {
    api
      .session()
      .then((found) => {
        setSession(found);
        setTrouble(why);
      })
      .catch((error: unknown) => setTrouble(sentenceOf(error)));
  };
  useEffect(() => {
    onSessionEnd(() => load("Your session has ended."));
    load();
  }, []);

  return (
    <>
      <Announcer />
      {session?.operator ? (
        <Open session={session} onLeave={() => load()} />
      ) : (
        <main class="door">
          <Mark />
          <h1>Operator</h1>
          {trouble && <Trouble>{trouble}</Trouble>}
          {session && <Door session={session} onOpen={() => load()} />}
        </main>
      )}
    </>
  );
}

type OpenSession = Extract<Session, { features: unknown }>;

function Open({ session, onLeave }: { session: OpenSession; onLeave: () => void }) {
  const { operator, features } = session;
  const place = usePlace();
  const current = PLACES.find(({ id }) => id === place.id)?.id ?? "now";
  return (
    <>
      <header>
        <Mark />
        <nav aria-label="Console">
          {PLACES.map(({ id, name }) => (
            <a key={id} href={`#${id}`} aria-current={id === current ? "page" : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <p class="who">{operator.name}</p>
        {features.canSignOut && (
          <button type="button" class="quiet" onClick={() => void api.signOut().finally(onLeave)}>
            Sign out
          </button>
        )}
      </header>
      <main>
        {current === "now" && <NowView />}
        {current === "callers" && <CallersView query={place.query} features={features} />}
        {current === "log" && <LogView features={features} />}
        {current === "policy" && <PoliciesView limiter={place.query} />}
      </main>
    </>
  );
}

type ClosedSession = Extract<Session, { operator: null }>;

function Door({ session, onOpen }: { session: ClosedSession; onOpen: () => void }) {
  const [busy, trouble, run] = useAction();
  const { asksForToken, link } = session;
  return (
    <>
      {asksForToken && (
        <form
          onSubmit={(event) => {
            const field = fieldsOf(event);
            run(async () => {
              await api.signIn(field("token"), field("name"));
              onOpen();
            });
          }}
        >
          <label for="name">Your name, for the log</label>
          <input id="name" name="name" autocomplete="username" maxLength={60} />
          <label for="token">Token</label>
          <input
            id="token"
            name="token"
            type="password"
            required
            autocomplete="current-password"
            maxLength={1024}
          />
          {trouble && <Trouble>{trouble}</Trouble>}
          <button type="submit" class="solid" disabled={busy}>
            Open
          </button>
        </form>
      )}
      {link && (
        <p>
          <a href={link.href}>{link.label}</a>
        </p>
      )}
      {!asksForToken && !link && <p class="empty">Only operators see this.</p>}
    </>
  );
}

const root = document.getElementById("console");
if (root) render(<Console />, root);

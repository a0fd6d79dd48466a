"use client";

import { createClient, RateLimitedError } from "headgate/client";
import { RateLimitNotice } from "headgate/react";
import { useState } from "react";

const client = createClient();

/** A button that calls the guarded route. After a refusal, a notice counts down until the route can be called again. */
export default function Page() {
  const [answer, setAnswer] = useState("");
  const [deadline, setDeadline] = useState<number>();

  async function ask() {
    setDeadline(undefined);
    try {
      const response = await client.fetch("/api/chat", { method: "POST" });
      setAnswer(await response.text());
    } catch (error) {
      if (!(error instanceof RateLimitedError)) throw error;
      setAnswer("");
      setDeadline(error.deadline);
    }
  }

  return (
    <main>
      <button type="button" onClick={ask}>
        Ask
      </button>
      <p>{answer}</p>
      <RateLimitNotice deadline={deadline} onRetry={ask} />
    </main>
  );
}

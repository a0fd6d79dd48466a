import { RotateCw } from "lucide-react";
import { Button } from "../design/button.tsx";
import { navigate } from "../router.tsx";
import type { Failure } from "../service/failure.ts";
import { type Action, wordsFor } from "./failure-words.tsx";

/** Shown instead of a page that could not be loaded, with an action. */
export function PageFailure({ failure, onRetry }: { failure: Failure; onRetry: Action }) {
  // Reading a page is not limited or charged in this way.
  if (failure.kind === "refused" || failure.kind === "unpaid") return null;
  const words = wordsFor(failure, onRetry, () => navigate("/"));
  const lost = failure.kind === "gone" || failure.kind === "signed-out";
  return (
    <div className="mx-auto flex max-w-sm flex-col items-center px-6 py-24 text-center">
      <span className="mb-4 rounded-2xl bg-tint p-3 text-quiet [&_svg]:size-6">{words.icon}</span>
      <h1 className="font-semibold text-lg">{words.title}</h1>
      <p className="mt-1 mb-6 text-quiet">{lost ? words.detail : "Please try again in a moment."}</p>
      <Button look="solid" onClick={() => void words.act()}>
        {!lost && <RotateCw aria-hidden="true" className="size-4" />}
        {words.action}
      </Button>
    </div>
  );
}

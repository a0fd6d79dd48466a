import "./no-eval.ts";
import "./design/style.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { beginAsCaller } from "./account/begin.ts";
import { lookAgain } from "./account/change-caller.ts";
import { App } from "./app.tsx";
import { currentPath, routeOf } from "./router.tsx";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no element with the id root.");

if (routeOf(currentPath.get()).page !== "shared") beginAsCaller();

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") void lookAgain();
});

createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);

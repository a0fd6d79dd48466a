import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { announce } from "./announcer.tsx";
import { copyText } from "./clipboard.ts";

interface CopyButtonProps {
  /** Returns the text to copy, when the button is pressed. */
  text: () => string;
  label: string;
  className?: string;
  /** Shows the text next to the icon. */
  worded?: boolean;
}

/** Copies text, shows a tick for a moment, and announces the result. */
export function CopyButton({ text, label, className, worded = false }: CopyButtonProps) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);

  return (
    <button
      type="button"
      aria-label={worded ? undefined : label}
      title={worded ? undefined : label}
      className={className}
      onClick={async () => {
        const done = await copyText(text());
        setCopied(done);
        announce(done ? "Copied." : "Copying did not work. Please select the text and copy it yourself.");
      }}
    >
      {copied ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />}
      {worded && <span>{copied ? "Copied" : label}</span>}
    </button>
  );
}

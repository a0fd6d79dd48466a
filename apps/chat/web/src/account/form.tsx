import type { ReactNode, Ref } from "react";

const fieldClass =
  "h-11 w-full rounded-xl border border-line-strong bg-raised px-3.5 text-base outline-none focus:border-accent focus:ring-1 focus:ring-accent aria-invalid:border-bad";

export const linkClass = "font-medium text-accent underline underline-offset-3";

interface FieldProps {
  ref: Ref<HTMLInputElement>;
  id: string;
  label: string;
  type: "email" | "password" | "text";
  /** The hint for password managers. */
  autoComplete: "username" | "current-password" | "new-password" | "off";
  hint?: string | undefined;
  invalid?: boolean;
}

/** A field of an account form, with its label and hint. */
export function Field({ ref, id, label, hint, invalid = false, ...input }: FieldProps) {
  return (
    <div>
      <label htmlFor={id} className="mb-1.5 block font-medium text-sm">
        {label}
      </label>
      <input
        ref={ref}
        id={id}
        required
        autoCapitalize="none"
        spellCheck={false}
        aria-invalid={invalid}
        aria-describedby={hint ? `${id}-hint` : undefined}
        className={fieldClass}
        {...input}
      />
      {hint && (
        <p id={`${id}-hint`} className="mt-1.5 text-quiet text-sm">
          {hint}
        </p>
      )}
    </div>
  );
}

/** The error message of a form. */
export function Trouble({ children }: { children: ReactNode }) {
  return (
    <p className="rounded-xl border border-bad-line bg-bad-tint px-4 py-2.5 text-bad text-sm">{children}</p>
  );
}

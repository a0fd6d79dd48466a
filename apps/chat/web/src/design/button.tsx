import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";

const looks = {
  solid: "border border-transparent bg-accent text-on-accent hover:bg-accent-hover",
  outline: "border border-line-strong/60 bg-raised text-ink hover:bg-tint",
  ghost: "text-quiet hover:bg-tint hover:text-ink",
  danger: "border border-transparent bg-bad-solid text-white hover:brightness-110",
} as const;

const sizes = {
  normal: "min-h-10 gap-2 rounded-xl px-4 text-[0.9375rem]",
  small: "min-h-8 gap-1.5 rounded-lg px-2.5 text-sm pointer-coarse:min-h-10",
} as const;

const shared =
  "inline-flex shrink-0 select-none items-center justify-center font-medium transition-colors disabled:opacity-50 aria-disabled:opacity-60 data-disabled:opacity-50";

export type ButtonLook = keyof typeof looks;

/** Returns the classes of a button, also for links that look like a button. */
export function buttonClass(look: ButtonLook = "outline", size: keyof typeof sizes = "normal"): string {
  return `${shared} ${looks[look]} ${sizes[size]}`;
}

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: ButtonLook;
  size?: keyof typeof sizes;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({
  look = "outline",
  size = "normal",
  className = "",
  type = "button",
  ...props
}: ButtonProps) {
  return <button type={type} className={`${buttonClass(look, size)} ${className}`} {...props} />;
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** What the button does, for screen readers and as a tooltip. */
  label: string;
  children: ReactNode;
  ref?: Ref<HTMLButtonElement>;
}

/** Buttons with an icon are 36 px wide and high, and 44 px on touch screens. */
export const iconButtonClass =
  "inline-flex size-9 shrink-0 select-none items-center justify-center rounded-lg text-quiet transition-colors hover:bg-tint hover:text-ink aria-expanded:bg-tint aria-expanded:text-ink disabled:opacity-40 pointer-coarse:size-11 [&_svg]:size-[1.125rem]";

export function IconButton({ label, className = "", children, type = "button", ...props }: IconButtonProps) {
  return (
    <button
      type={type}
      aria-label={label}
      title={label}
      className={`${iconButtonClass} ${className}`}
      {...props}
    >
      {children}
    </button>
  );
}

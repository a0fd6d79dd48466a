import {
  ChevronsUpDown,
  CircleUserRound,
  Keyboard,
  LogIn,
  LogOut,
  Monitor,
  Moon,
  Settings,
  Sun,
  UserPlus,
} from "lucide-react";
import { announce } from "../design/announcer.tsx";
import { drawerOpen } from "../design/drawer-state.ts";
import { Menu, MenuChoice, MenuItem } from "../design/menu.tsx";
import { useObservable } from "../design/observable.ts";
import { shortcutsOpen } from "../design/shortcuts-dialog.tsx";
import { chooseTheme, type Theme, theme } from "../design/theme.ts";
import { navigate } from "../router.tsx";
import { signOut } from "./authenticate.ts";
import { afterSigningOut } from "./change-caller.ts";
import { me } from "./me.ts";
import { formatMoney } from "./money.ts";
import { signInPath } from "./next-path.ts";

const themes: { value: Theme; label: string; icon: typeof Sun }[] = [
  { value: "system", label: "System", icon: Monitor },
  { value: "light", label: "Light", icon: Sun },
  { value: "dark", label: "Dark", icon: Moon },
];

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long" });

/** The menu of the account: the remaining credit, the theme, and signing in and out. */
export function AccountMenu() {
  const current = useObservable(me);
  const chosen = useObservable(theme);
  const account = current?.caller.kind === "account" ? current.caller : null;
  const credit = current?.credit ?? null;

  const go = (path: string) => {
    drawerOpen.set(false);
    navigate(path);
  };

  return (
    <Menu
      label={account ? `Account: ${account.email}` : "Account and settings"}
      className="flex min-h-12 w-full items-center gap-3 rounded-xl px-2.5 text-start text-sm transition-colors hover:bg-tint aria-expanded:bg-tint"
      align="start"
      popupClass="w-64"
      trigger={
        <>
          <CircleUserRound aria-hidden="true" className="size-5 shrink-0 text-quiet" />
          <span className="min-w-0 grow">
            <span className="block truncate font-medium leading-tight">
              {account ? account.email : "Not signed in"}
            </span>
            <span className="tabular block truncate text-quiet text-xs">
              {credit
                ? `${formatMoney(credit.balance, credit.currency)} credit left`
                : account
                  ? "Signed in"
                  : "Sign in to keep your history"}
            </span>
          </span>
          <ChevronsUpDown aria-hidden="true" className="size-4 shrink-0 text-quiet" />
        </>
      }
    >
      {credit && (
        <div role="presentation" className="tabular mb-1 border-line border-b px-2.5 pt-1 pb-2.5 text-sm">
          <p className="font-medium">Credit: {formatMoney(credit.balance, credit.currency)}</p>
          <p className="text-quiet text-xs">
            {formatMoney(credit.monthlyAllowance, credit.currency)} a month, next on{" "}
            {day.format(Date.parse(credit.renewsAt))}
          </p>
        </div>
      )}
      {account ? (
        <>
          <MenuItem onChoose={() => go("/account")}>
            <Settings aria-hidden="true" /> Your account
          </MenuItem>
          <MenuItem
            onChoose={() => {
              void signOut()
                .then(afterSigningOut)
                .catch(() => announce("We couldn’t sign you out. Please try again."));
            }}
          >
            <LogOut aria-hidden="true" /> Sign out
          </MenuItem>
        </>
      ) : (
        <>
          <MenuItem onChoose={() => go(signInPath("/sign-in"))}>
            <LogIn aria-hidden="true" /> Sign in
          </MenuItem>
          <MenuItem onChoose={() => go(signInPath("/sign-up"))}>
            <UserPlus aria-hidden="true" /> Create an account
          </MenuItem>
        </>
      )}
      <MenuItem
        className="pointer-coarse:hidden"
        onChoose={() => {
          drawerOpen.set(false);
          shortcutsOpen.set(true);
        }}
      >
        <Keyboard aria-hidden="true" /> Keyboard shortcuts
      </MenuItem>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is not allowed in a menu */}
      <div role="group" aria-label="Theme" className="mt-1 border-line border-t pt-1">
        <p aria-hidden="true" className="px-2.5 pt-1.5 pb-1 font-medium text-quiet text-xs">
          Theme
        </p>
        {themes.map(({ value, label, icon: Icon }) => (
          <MenuChoice key={value} chosen={chosen === value} onChoose={() => chooseTheme(value)}>
            <Icon aria-hidden="true" />
            <span className="grow">{label}</span>
          </MenuChoice>
        ))}
      </div>
    </Menu>
  );
}

import { useRef, useState } from "react";
import type { PaymentProblem } from "../../../contract.ts";
import { composerFocus } from "../chat/composer-focus.ts";
import { Button } from "../design/button.tsx";
import { Modal } from "../design/modal.tsx";
import { useObservable } from "../design/observable.ts";
import { me, refreshMe } from "./me.ts";
import { formatMoney } from "./money.ts";
import { paywall } from "./paywall-state.ts";
import { RedeemCode } from "./redeem-code.tsx";

const date = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });

/** Returns what is blocked, and why. */
function wordsFor({ balance, held }: PaymentProblem): [title: string, what: string] {
  if (balance <= 0)
    return ["Your credit is used up", "You can't get new answers until you have credit again."];
  if (held > 0) {
    return [
      "Your credit is held by answers in progress",
      "Credit that they don’t use becomes available when they end.",
    ];
  }
  return ["Your credit is too low for this message", "You may not have enough for the answer."];
}

const toppedUp: [title: string, what: string] = ["You have credit again", "You can send your message now."];

/**
 * The dialog for credit that is too low: the balance, what is blocked, how to get more credit, and a way back to the
 * draft.
 */
export function Paywall() {
  const problem = useObservable(paywall);
  const current = useObservable(me);
  const caller = current?.caller;
  const credit = current?.credit;
  const back = useRef<HTMLButtonElement>(null);
  const [last, setLast] = useState(problem);
  const [isToppedUp, setToppedUp] = useState(false);
  if (problem && problem !== last) {
    setLast(problem);
    setToppedUp(false);
  }
  const shown = problem ?? last;
  if (!shown) return null;

  const { currency, monthly_allowance, renews_at } = shown;
  const balance = (isToppedUp && credit?.balance) || shown.balance;
  const [title, what] = isToppedUp ? toppedUp : wordsFor(shown);
  const money = (amount: number) => formatMoney(amount, currency);
  const email = caller?.kind === "account" ? caller.email : null;
  const close = () => {
    paywall.set(null);
    void refreshMe();
  };
  return (
    <Modal
      open={problem !== null}
      onClose={close}
      title={title}
      description={<p>{what} Your conversations are still here to read.</p>}
      initialFocus={back}
      finalFocus={() => composerFocus.get()?.()}
      actions={
        <Button ref={back} look="solid" onClick={close}>
          Back to my message
        </Button>
      }
    >
      <dl className="tabular mt-5 grid grid-cols-[1fr_auto] gap-y-2 rounded-xl bg-sunken px-4 py-3.5">
        <dt className="text-quiet">Balance</dt>
        <dd className="text-end font-semibold">{money(balance)}</dd>
        <dt className="text-quiet">Monthly allowance</dt>
        <dd className="text-end">{money(monthly_allowance)}</dd>
        <dt className="text-quiet">Next allowance</dt>
        <dd className="text-end">{date.format(Date.parse(renews_at))}</dd>
      </dl>
      {!isToppedUp && (
        <p className="my-4">
          To continue sooner, ask the person who runs this service for more credit
          {email === null ? "." : ` for ${email}, or for a code.`} Your message is saved.
        </p>
      )}
      {email !== null && !isToppedUp && (
        <RedeemCode
          onRedeemed={() => {
            setToppedUp(true);
            back.current?.focus();
          }}
        />
      )}
    </Modal>
  );
}

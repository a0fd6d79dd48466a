import { type FormEvent, useId, useRef, useState } from "react";
import type { Credit } from "../../../contract.ts";
import { announce } from "../design/announcer.tsx";
import { Button } from "../design/button.tsx";
import { authTroubleOf } from "./authenticate.ts";
import { Field, Trouble } from "./form.tsx";
import { me } from "./me.ts";
import { formatMoney } from "./money.ts";
import { redeem } from "./settings.ts";

/** The form for a code from the operator, which adds credit. */
export function RedeemCode({ onRedeemed }: { onRedeemed?: (credit: Credit) => void }) {
  const [told, setTold] = useState<{ trouble?: string; done?: string }>({});
  const code = useRef<HTMLInputElement>(null);
  const id = useId();

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    setTold({});
    try {
      const credit = await redeem(code.current?.value ?? "");
      me.set((known) => known && { ...known, credit });
      form.reset();
      const done = `Code accepted. Your balance is ${formatMoney(credit.balance, credit.currency)}.`;
      setTold({ done });
      announce(done);
      onRedeemed?.(credit);
    } catch (error) {
      const { sentence } = authTroubleOf(error);
      setTold({ trouble: sentence });
      announce(sentence);
      code.current?.focus();
    }
  };
  return (
    <form className="space-y-3" noValidate onSubmit={(event) => void submit(event)}>
      <div className="flex items-end gap-2">
        <div className="min-w-0 grow">
          <Field
            ref={code}
            id={`${id}-code`}
            label="Code for more credit"
            type="text"
            autoComplete="off"
            invalid={told.trouble !== undefined}
          />
        </div>
        <Button type="submit" className="min-h-11!">
          Use code
        </Button>
      </div>
      {told.trouble && <Trouble>{told.trouble}</Trouble>}
      {told.done && <p className="text-quiet text-sm">{told.done}</p>}
    </form>
  );
}

/** Units that were declared as literals; `never` if nothing was declared. */
export type Declared<Units extends string> = string extends Units ? never : Units;

/** The units that the limits of layers count or declare. */
export type UnitsOfLayers<Layers extends readonly unknown[]> = UnitsOfLayer<Layers[number]>;

type UnitsOfLayer<Layer> = Layer extends unknown
  ?
      | (Layer extends { readonly limits: infer Limits } ? UnitsOf<Limits> : never)
      | (Layer extends { readonly plans: infer Plans } ? UnitsOf<Plans[keyof Plans]> : never)
      | (Layer extends { readonly defaultLimits: infer Limits } ? UnitsOf<Limits> : never)
      | (Layer extends { readonly units: readonly (infer Unit extends string)[] } ? Unit : never)
  : never;

/** The units that limits count, from their literal texts or objects. `string` if the type does not show them. */
export type UnitsOf<Limits> = Limits extends string
  ? string extends Limits
    ? string
    : UnitsOfText<Lowercase<Limits>>
  : Limits extends readonly (infer One)[]
    ? UnitsOf<One>
    : Limits extends { readonly quota: number }
      ? UnitOfObject<Limits>
      : never;

type UnitOfObject<Limits> = Limits extends { readonly unit: infer Unit extends string }
  ? Unit
  : "unit" extends keyof Limits
    ? string
    : "requests";

/** The units of limits in text, which are separated by `;`, `,` or `|`. */
type UnitsOfText<Text extends string> = Text extends `${infer First};${infer Rest}`
  ? UnitsOfText<First> | UnitsOfText<Rest>
  : Text extends `${infer First},${infer Rest}`
    ? UnitsOfText<First> | UnitsOfText<Rest>
    : Text extends `${infer First}|${infer Rest}`
      ? UnitsOfText<First> | UnitsOfText<Rest>
      : UnitOfAmount<Trimmed<AmountOf<Text>>>;

/** The part before the window: `100000 tokens` of `100000 tokens/day`. */
type AmountOf<Text extends string> = Text extends `${infer Amount} per ${string}`
  ? Amount
  : Text extends `${infer Amount}/${string}`
    ? Amount
    : Text;

type UnitOfAmount<Amount extends string> = Amount extends "" | "blocked" | "unlimited"
  ? never
  : Amount extends `${string}${Space}${infer Unit}`
    ? FullName<Trimmed<Unit>>
    : "requests";

type FullName<Unit extends string> = Unit extends "request"
  ? "requests"
  : Unit extends "token"
    ? "tokens"
    : Unit;

type Space = " " | "\n" | "\t";

type Trimmed<Text extends string> = Text extends `${Space}${infer Rest}`
  ? Trimmed<Rest>
  : Text extends `${infer Rest}${Space}`
    ? Trimmed<Rest>
    : Text;

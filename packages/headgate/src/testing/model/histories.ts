import { type Action, act, actionsOf, pass, use } from "./actions.ts";
import * as calls from "./calls.ts";
import { broken } from "./invariants.ts";
import { type Client, newWorld, type Setting, type World } from "./world.ts";

/**
 * Plays one history: each number chooses one of the possible next actions.
 *
 * @returns the broken invariant and the actions that led to it; `undefined` if all invariants held.
 */
export function play(setting: Setting, choices: readonly number[]): string | undefined {
  const world = newWorld(setting);
  const names: string[] = [];
  for (const choice of choices) {
    const usual = actionsOf(world);
    // One step in eight is an unusual action.
    const actions = choice % 8 === 0 ? strayActions(world, choice) : usual;
    const action = (actions[Math.floor(choice / 8) % actions.length] ?? usual[0]) as Action;
    act(world, action);
    names.push(action.name);
    const what = broken(world);
    if (what !== undefined) return `${what}\n  ${names.join("\n  ")}`;
  }
  return undefined;
}

/** Actions for longer histories only: mistakes of clients, pauses of any length, resets. */
function strayActions(world: World, choice: number): Action[] {
  const ms = 1 + (choice % 100_003);
  return [
    { name: `${ms} ms pass`, run: (changed) => pass(changed, ms) },
    { name: "a long time passes", run: (changed) => pass(changed, 100 * ms) },
    ...world.clients.flatMap((client, c) => mistakes(world, client, c)),
    ...(world.setting.resets === true ? [{ name: "reset", run: reset }] : []),
  ];
}

function mistakes({ setting }: World, { phase, seq }: Client, c: number): Action[] {
  if (phase !== "open" || setting.unit === "concurrent") return [];
  const over: Action = {
    name: `client ${c} uses one unit more than it may`,
    run: (world) => use(world, c, "over"),
  };
  if (seq >= setting.calls) return [over];
  return [over, { name: `client ${c} reports one unused unit`, run: (world) => overstate(world, c) }];
}

/** Lets a client report one unit that it has not used. The client corrects this later. */
export function overstate(world: World, c: number): void {
  calls.report(world, c, 1);
  const client = world.clients[c] as Client;
  client.overstated += 1;
  // A refunded unit does not return to the hold: the client would have to extend it.
  client.allowed -= 1;
}

/**
 * Resets the counts, like an operator. A millisecond passes before and after, because charges in the same millisecond
 * cannot be distinguished.
 */
function reset(world: World): void {
  const { setting } = world;
  pass(world, 1);
  world.store.reset(setting.places);
  void setting.mirror?.reset(setting.places, world.now);
  setting.record?.({ kind: "reset", now: world.now, places: setting.places });
  world.ledger = [];
  pass(world, 1);
}

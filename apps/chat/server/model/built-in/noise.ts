/** Words for questions, joins and politeness. They are ignored unless a rule uses them. */
const words = `
soon normally usually typically aswell asking friend a about actually ah all along alright also always am an and any anyone anything approximately approx are around as at be been
being bit bro but by calc calculate calculation calculations calculator can cant check cheers come comes could convert cos curious currently
day dear did do does doing done else estimate etc exact exactly explain figure figures find fine for from fyi generally get gets
getting give gives given giving go goes going good got great because recently recent guess had has have having hello help her here hey hi hiya him his hm
hmm how hoping i idea if in into is it its just kind know let like likely lol look looking lot love make makes making mate mates
maybe me mean might mine moment money much my myself need needs new nice nope now number numbers of oh ok okay on one or our
overall own pal perhaps please pls plz possible pretty pm question quick quickly quite rather really says said roughly run say see
shall she show so some someone something sort sure ta tell thank thanks that the their them then there these they thing things
think thinking this those though to today told tomorrow too than try trying u uk um understand ur us use usual using very we well
went what whats which whole will with wot wonder wondering work would yeah yep yes you your yours yourself
`;

/** Words that change what a question asks. If no rule takes one of them, the question was not understood. */
export const tellingWords: readonly string[] = `
again best between both each equal equals equiv equivalent even ever first home kick kicks leaving live living many more most
month months only over per portion right should since start starts begin begins sum take takes taking took taxed top total under
until up want wanted was way week weeks were when where whether while who why wish year years plus extra off out long before after
instead never still yet already worth end another other rest most happen happens
`
  .split(/\s+/)
  .filter(Boolean);

export const noiseWords: ReadonlySet<string> = new Set(words.split(/\s+/).filter(Boolean));

export function isNoise(word: string): boolean {
  return word.split(" ").every((part) => noiseWords.has(part) || part === "");
}

/** Removed before the rules run, so that "a bonus of around 5k" reads "bonus of 5k". */
export const absorbed =
  "please|pls|plz|just|circa|about|around|roughly|approx|approximately|exactly|actually|currently|really|basically|like|an?|the|my|our|your|his|her|their|any|some|only|also";

/** Words for questions, joins and politeness. They are ignored unless a rule uses them. */
const words = `
a about actually again ah all along alright also always am an and any anyone anything approximately approx are around as at be been
before being best bit both bro but by calculate calculation calculations calculator can cant check cheers come comes could cos curious currently
day dear did do does doing done each else end equal equals equiv equivalent estimate etc even ever exact exactly explain figure figures find fine first for from
fyi generally get gets getting give gives given giving go goes going good got great guess had happen happens has have having hello help her here hey
hi hiya him his hm hmm home how hmm hoping i idea if in into is it its just kick kicks kind know let like likely lol look looking lot love make makes making
many mate mates maybe me mean might mine moment money month months more most much my myself need needs new nice nope now number numbers of off oh ok
okay on one only or our out over overall own pal per perhaps please pls plz plus portion possible pretty pm question quick quickly quite rather really says said
right roughly run say see shall she should show since so some someone something sort still sum sure ta tell thank thanks that the their them then there
these they thing things think thinking this those though to today told tomorrow too begin begins extra leaving start starts taxed top between take takes taking took extra than live living total try trying u uk um under understand up ur us use usual using very want
wanted was way we week weeks well went were what whats when where whether which while who whole why will wish with wot wonder wondering work would yeah year
years yep yes yet you your yours yourself
`;

export const noiseWords: ReadonlySet<string> = new Set(words.split(/\s+/).filter(Boolean));

export function isNoise(word: string): boolean {
  return word.split(" ").every((part) => noiseWords.has(part) || part === "");
}

/** Removed before the rules run, so that "a bonus of around 5k" reads "bonus of 5k". */
export const absorbed =
  "please|pls|plz|just|about|around|roughly|approx|approximately|exactly|actually|currently|really|basically|like|an?|the|my|our|your|his|her|their|any|some|only|also";

/** Words for questions, joins and politeness. They are ignored unless a rule uses them. */
const words = `
was were should since first way again even ever right still already start started starting put take takes taking taken took moved moving
gain big keeping kept thing stuff said say told bit yet finally together actual
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

/** Words that change a figure, or which figure is asked for. If no rule takes one of them, the question was not understood. */
export const tellingWords: readonly string[] = `
not no never none nothing neither without unless except only until till instead before after used stop stopped lose lost
tax taxed taxes bonus overtime commission pension loan loans salary wage wages pay paid rise raise increase allowance net gross
insurance back benefit benefits dividend dividends interest profit rent mortgage cost costs price sum owe owed refund rebate 
debt discount deposit average percentage rate rates
half double twice third quarter extra percent total plus minus times equivalent equal equals
hour hours day days week weeks weekly monthly fortnight daily hourly annual annually shift shifts
more less fewer than most least both each either other another difference between same worth better worse best over under
above below 
where who which long far many often
unemployed excluding exempt exemption ratio median maximum minimum legally legal share shared shares split holiday overtaxed
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

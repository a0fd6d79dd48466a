/** Rules for working time. They run before other rules that read "a week". */
import { type PayPeriod, usualDays, usualHours, weeksPerYear } from "../../../../tax/pay-periods.ts";
import type { Facts } from "../facts.ts";
import { type Match, phrase, type Reading } from "../reading.ts";
import type { Amount } from "../tokens.ts";
import { list, pounds } from "../wording.ts";
import { implausible } from "./periods.ts";
import { each, type Rule, rule, says, sets } from "./rule.ts";

const perWeek = "(?: (?:(?:a|per|each|every|/|p /) (?:week|wk|w)|weekly|pw|week|of work))*";
const unit = "(?<unit>days?|hours?|hrs?)";
const changes =
  "(?:have|has|been|are|being|will|be|went|go|going|gone|dropped?|dropping|cut|reduced?|reducing|changed?|changing|down)";
const less =
  "(?:go|going|went|drop|dropping|dropped|reduce|reducing|reduced|move|moving|cut|cutting|change|changing|switch|switching)(?: (?:my|the|hours|days|down))*";

function setPart(facts: Facts, part: number, whole: number, unitWord: string | undefined): boolean {
  if (facts.fraction !== undefined || !(part > 0 && whole > 0 && part <= whole)) return false;
  const words = unitWord === undefined ? "full time" : `${whole} ${unitWord}`;
  facts.fraction = { share: part / whole, words: `${part} of ${words}` };
  // "from 40 hours to 32 at £15 an hour"
  if (unitWord === "hours") facts.hours ??= whole;
  if (unitWord === "days") facts.days ??= whole;
  return true;
}

function ofWeek(facts: Facts, { amounts: [part, whole], groups }: Match): boolean {
  const isDays = groups.unit?.startsWith("d") === true;
  const full = whole?.value ?? (isDays ? usualDays : usualHours);
  return setPart(facts, part?.value ?? 0, full, isDays ? "days" : "hours");
}

/** "from 5 days to 4" */
function fromTo(facts: Facts, { amounts: [whole, part], groups }: Match): boolean {
  const unitWord = groups.unit?.startsWith("d") ? "days" : "hours";
  return setPart(facts, part?.value ?? 0, whole?.value ?? 0, unitWord);
}

/** Payments a year, by period. */
const paidTimes: Record<number, PayPeriod> = {
  1: "year",
  4: "quarter",
  12: "month",
  13: "four weeks",
  26: "fortnight",
  52: "week",
};

/** "paid 13 times a year": the amount of one payment, or the period of the answer. */
function setPayments(facts: Facts, { amounts: [times], before, after }: Match, reading: Reading): boolean {
  const period = paidTimes[times?.value ?? 0];
  facts.speaksOfPay = true;
  if (period === undefined) {
    facts.remarks.push(
      `I left the ${times?.value ?? "several"} payments a year out: they do not change your yearly pay.`,
    );
    return true;
  }
  const amount = before ?? after;
  // A single payment is not this large, so it is the total of all payments.
  const isPayment = amount !== undefined && reading.money.length === 1 && amount.kind === "money";
  if (
    isPayment &&
    amount.period === undefined &&
    amount.value < Math.min(largestPayment, implausible[period])
  )
    amount.period = period;
  else facts.shownBy = period;
  return true;
}

/** From here on, an amount is the total of all payments. */
const largestPayment = 10_000;

const shares: Record<number, PayPeriod> = { 12: "month", 13: "four weeks", 26: "fortnight", 52: "week" };

/** Pay for several days or weeks: the answer shows one and names the number. */
function setSome(facts: Facts, { amounts: [count], groups }: Match, reading: Reading): boolean {
  const period = (groups.unit ?? "").replace(/s$/, "").replace(/^hr$/, "hour") as PayPeriod;
  if (count === undefined || count.value > 60) return false;
  // "£12.71 an hour 40 hours take home": the hours of a week.
  if (period === "hour" && /\b(?:hour|hr|ph|hourly)\b|@/.test(reading.text)) return false;
  facts.shownBy = period;
  if (count.value !== 1)
    facts.remarks.push(
      `That is one ${period}'s: for ${count.value} ${period}s take it ${count.value} times.`,
    );
  return true;
}

const weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const weekday = "(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:days?)?";

const hoursOf = "(?:hours?|hrs?)";
const by = `(?: ${each} (?:week|month)| weekly| monthly)?`;
const multiple =
  "(?:time and (?:a )?(?<part>half|quarter|third)|(?<whole>double|triple|treble)(?: time| pay| rate)?|N(?: x|x| times)(?: (?:pay|rate|normal pay|normal rate|the rate))?)";
const parts: Record<string, number> = {
  half: 1.5,
  quarter: 1.25,
  third: 4 / 3,
  double: 2,
  triple: 3,
  treble: 3,
};

/** How often a year the overtime is worked, by the words of its rule. */
function overtimesAYear(facts: Facts, text: string): number {
  if (/month/.test(text)) return 12;
  if (/week/.test(text)) return 52;
  // "39 hours plus 6 hours overtime, weekly net"
  if (
    /\b(?:weekly|per week|a week)\b|#(?: (?:an|per) (?:hour|hr))? # (?:hours?|hrs?) (?:plus|and|\+|,) #/.test(
      facts.text,
    )
  ) {
    facts.remarks.push("I assumed that these are the overtime hours of every week.");
    return 52;
  }
  facts.remarks.push("I assumed that these are the overtime hours for the whole year.");
  return 1;
}

/** "10 hours of overtime a week at time and a half" */
function setOvertime(facts: Facts, { amounts: [hours, times], groups, text }: Match): boolean {
  const factor = parts[groups.part ?? groups.whole ?? ""] ?? times?.value;
  if (hours === undefined || factor === undefined || facts.overtime !== undefined) return false;
  const timesAYear = overtimesAYear(facts, text);
  const often = timesAYear === 12 ? " a month" : timesAYear === 52 ? " a week" : "";
  facts.overtime = {
    hoursAYear: hours.value * timesAYear,
    times: factor,
    words: `${hours.value} hours of overtime${often}`,
  };
  return true;
}

const hourly = `(?: ${each} (?:hour|hr)| hourly| ph)?`;
const timed = `N ${hoursOf}${perWeek}(?: (?:at|for|on|@|paid|paying))+ (?:A${hourly}|time and a (?:half|quarter|third)|(?:double|triple)(?: time)?)`;
const rated = `A${hourly}(?: (?:for|x|times|doing))+ N ${hoursOf}${perWeek}`;
const part = `(?:${timed}|${rated})`;
const ofTheWeek = "(?:weekdays?|weekends?|evenings?|nights?|saturdays?|sundays?|weeknights?)";
const link = `(?: (?:and|,|plus|then|another|i|do|work|doing|in|on|at|my|the|a|one|other|job|${ofTheWeek}))*`;
const partsOfWeek = phrase(part);

/** "20 hours at £12.50 and 10 hours at £15": a week's pay of one job, or of each job. */
function setRates(facts: Facts, { amounts, text }: Match, reading: Reading): boolean {
  const left = [...amounts];
  const found = [...text.matchAll(partsOfWeek)].flatMap(([words]) => {
    const isTimed = /^\S+ (?:hours?|hrs?)/.test(words);
    const [first, second] = left.splice(0, /(?:time|double|triple|half|quarter|third)$/.test(words) ? 1 : 2);
    const [hours, rate] = isTimed ? [first, second] : [second, first];
    return hours
      ? [{ hours: hours.value, rate, times: parts[words.split(" ").find((one) => one in parts) ?? ""] }]
      : [];
  });
  const [main] = found;
  if (!main?.rate || found.some(({ rate }) => rate?.period !== undefined || (rate?.value ?? 0) > 200))
    return false;
  const basic = main.rate.value;
  const of = ({ hours, rate, times = 1 }: (typeof found)[number]) =>
    Number((hours * (rate?.value ?? basic * times)).toFixed(2));
  const each = found.map(of);
  facts.sources.push(...amounts.map(({ value }) => value));
  const isApart = /\bjobs\b|\b(?:second|other|another|one) job\b|\b(?:in|at) another\b/.test(reading.text);
  for (const amount of amounts) if (amount !== main.rate) reading.takeAmount(amount);
  const weekly = (value: number): Amount =>
    ({ ...main.rate, value, kind: "money", period: "week" }) as Amount;
  Object.assign(main.rate, weekly(isApart ? (each[0] ?? 0) : each.reduce((sum, one) => sum + one, 0)));
  if (isApart) facts.secondJobs.push(...each.slice(1).map(weekly));
  facts.remarks.push(
    `${list(found.map(({ hours }, at) => `${hours} hours for ${pounds(each[at] ?? 0)}`))} a week.`,
  );
  facts.speaksOfPay = true;
  reading.changed();
  return true;
}

export const workingTime: Rule[] = [
  rule(
    `(?:(?:on )?${ofTheWeek} )?${part}(?:${link} ${part})+(?: in (?:another|the other)(?: job)?)?`,
    setRates,
    "absorb",
  ),
  // "my 4 weekly pay"
  rule(
    "(?<=(?:paid|my|the|each|a|per|every|what) )N (?:- )?weekly(?: (?:pay|wages?|take home))?(?!.* M)|(?<=paid )N (?:- )?weekly",
    (facts, { amounts: [weeks] }) => {
      if (weeks?.value !== 4) return false;
      facts.shownBy = "four weeks";
    },
  ),
  rule("(?:each|every|per|at a) (?:time|payment|pay ?day)"),
  rule(
    `(?:paid |salary )?N times ${each} (?:year|annum|yr)|(?:paid )?(?:in|over) N (?:instalments?|payments?|pay ?days)(?: ${each} year)?`,
    setPayments,
  ),
  rule(
    `(?:paid )?(?:once|twice|N times) (?:${each} (?:week|month|fortnight)|(?:weekly|monthly))`,
    (facts, { text }) => {
      facts.speaksOfPay = true;
      facts.remarks.push(`I left “${text.replace("paid ", "")}” out: it does not change your yearly pay.`);
    },
  ),
  // "£11.44 x 37.5 x 52"
  rule("(?<=A )(?:x|times) N (?:x|times) N", (facts, { amounts: [hours, weeks], before }, reading) => {
    if (before?.period !== undefined || !hours || !weeks || hours.value > 168 || weeks.value > 53)
      return false;
    Object.assign(before ?? {}, { period: "hour", kind: "money" });
    facts.hours = hours.value;
    facts.weeks = weeks.value;
    reading.changed();
  }),
  rule(
    "(?:divided by|split (?:by|over|into)|(?<=M )/) N(?! (?:people|ways))",
    (facts, { amounts: [parts] }) => {
      const period = shares[parts?.value ?? 0];
      if (period === undefined) return false;
      facts.shownBy = period;
    },
  ),
  rule("N / N(?:th)? of", (facts, { amounts: [one, parts] }) => {
    const period = one?.value === 1 ? shares[parts?.value ?? 0] : undefined;
    if (period === undefined) return false;
    facts.shownBy = period;
  }),
  says(
    "N (?:days?|weeks?|hours?) (?:of )?(?:unpaid(?: (?:leave|holiday|time off))?|off unpaid)|unpaid leave",
    ({ text }) =>
      `I left the ${/leave/.test(text) ? "unpaid leave" : "unpaid time"} out: I work out a whole year.`,
  ),
  says(
    "(?:buy|buying|bought|purchas(?:e|ed|ing))(?: (?:N|extra|more|days?|weeks?|of))* (?:annual leave|holidays?|leave)",
    "I left the bought holiday out: it lowers the pay before tax.",
  ),
  says(
    "(?:N (?:days?|weeks?|hours?) )?(?:of )?(?:paid )?(?:annual leave|holidays?|paid leave)(?! pay)(?: (?:allowance|entitlement))?",
    "Paid holiday does not change your yearly pay.",
  ),
  rule(
    "(?<!(?:work|working|doing|do|does|over|for) )N (?<unit>days?|weeks?|hours?|hrs?|months?)(?: worth)?(?: of)?(?: my| the)? (?:pay|wages|salary|holiday pay|net pay|take home)(?: worth)?",
    setSome,
  ),
  rule(
    `(?:pay|wages|holiday pay|owed)(?: (?:owed|due|for))+ N (?<unit>days?|weeks?|hours?|hrs?)(?! (?:a|per|each) week)`,
    setSome,
  ),
  rule(
    `(?:N ${hoursOf}${by}(?: of)? overtime|overtime(?: of)? N ${hoursOf})${by} (?:(?:at|for|on|paid|paid at) )?${multiple}${by}`,
    setOvertime,
  ),
  // "30k for 35 hours, what is that for 20 hours"
  rule(
    `(?<=A )(?:for|on|at|is|based on) N ${unit}${perWeek}(?: (?:,|and|what|how much|is|would|will|that|it|be|so|if|i|for|at|on|do|did|doing|work|worked|pay|salary|take home|get))+ N (?:days?|hours?|hrs?)${perWeek}`,
    (facts, { amounts: [whole, part], groups }) =>
      setPart(facts, part?.value ?? 0, whole?.value ?? 0, groups.unit?.startsWith("d") ? "days" : "hours"),
  ),
  // "10 hours of overtime a week at £20 an hour"
  rule(
    `(?:N ${hoursOf}${by}(?: of)? overtime|N (?:extra|additional|more) ${hoursOf}|(?:extra|additional) shift${by} of N ${hoursOf}|(?:extra|additional) N ${hoursOf}|overtime(?: (?:of|:|is))* N ${hoursOf})${by} (?:at|for|paid at) A(?: ${each} (?:hour|hr)| hourly| ph)?`,
    (facts, { amounts: [hours, rate], text }) => {
      const times = overtimesAYear(facts, text);
      const pounds = Number(((hours?.value ?? 0) * (rate?.value ?? 0) * times).toFixed(2));
      facts.extras.push({ name: "overtime", part: { pounds } });
    },
  ),
  rule(
    `N ${unit}${perWeek} (?:instead of|rather than|not|out of|down from|vs|versus|of|/) (?:N|full time|the full)(?: (?:days?|hours?|hrs?))?${perWeek}`,
    ofWeek,
  ),
  rule(`(?:${less} )?from N(?: (?:days?|hours?|hrs?))?${perWeek} (?:down )?to N ${unit}${perWeek}`, fromTo),
  rule(`(?:${less} )?from N ${unit}${perWeek} (?:down )?to N(?! (?:days?|hours?|hrs?))`, fromTo),
  rule(`${unit}(?: ${changes})* from N (?:down )?to N(?! (?:days?|hours?|hrs?))`, fromTo),
  // "mon - thu"
  rule(
    `(?:from )?(?<first>${weekday}) (?:(?:to|-|till|until|through) )?(?<last>${weekday})`,
    (facts, { groups: { first = "", last = "" } }) => {
      const at = (name: string) => weekdays.indexOf(name.slice(0, 3));
      facts.days ??= ((at(last) - at(first) + 7) % 7) + 1;
    },
  ),
  rule(`N ${unit}${perWeek} (?:down )?to N(?= (?:on|at|for|from) M| ?[?.,]?$)`, fromTo),
  // "drop a day a week"
  rule(
    "(?:drop|dropping|lose|losing|cut|cutting|give up|giving up) (?:a|one|N) days?(?: (?:a|per|each) week)?",
    (facts, { amounts: [days] }) =>
      facts.isFullTime || facts.days === undefined
        ? setPart(facts, usualDays - (days?.value ?? 1), usualDays, "days")
        : false,
  ),
  // "5 days to 3 days"
  rule(`N (?:days?|hours?|hrs?)${perWeek} (?:down )?to N ${unit}${perWeek}`, fromTo),
  // "pro rata 22.5 hours, full time is 37.5"
  rule(
    `(?:pro rata(?: (?:for|to|at|over|on))? )?N ${unit}${perWeek}(?: (?:,|and|\\.|where|with|when))* full time(?: (?:is|being|of|would|be|=|:))* N(?: (?:days?|hours?|hrs?))?${perWeek}`,
    ofWeek,
  ),
  rule(
    `(?:${less} to|pro rata(?: (?:for|to|at|over|on))?|part time(?: (?:for|at))?) N ${unit}${perWeek}(?: from N(?: days?| hours?)?)?`,
    ofWeek,
  ),
  rule(`N ${unit}${perWeek} pro rata`, ofWeek),
  rule(
    "N (?:fte|full time equivalent|of full time|pro rata)|(?:fte|pro rata)(?: (?:of|is|at|to|by|=|:))? N",
    (facts, { amounts: [share] }) => setPart(facts, share?.value ?? 0, 1, undefined),
  ),
  // "0.8 of 37k", "drop to 0.6"
  rule(
    "N of(?= (?:a |my )?M)|(?:to|at|do|work|working|doing|on) N(?: fte)?(?= ?(?:[?.!,]|$))",
    (facts, { amounts: [share] }) =>
      (share?.value ?? 1) < 1 ? setPart(facts, share?.value ?? 0, 1, undefined) : false,
  ),
  rule(
    "part time (?:at |to |on )?P|P (?:fte|of full time|pro rata|of the hours|hours)|(?:fte|pro rata)(?: (?:of|is|at|to|by|=|:))? P",
    (facts, { amounts: [share] }) => setPart(facts, (share?.value ?? 0) / 100, 1, undefined),
  ),
  rule("(?<=A )(?:x|times|@)(?= N (?:hours?|hrs?|days?|weeks?)(?!\\S))"),
  // "4 12 hour shifts", "3 shifts a week of 8.5 hours", "4 on 4 off"
  rule(
    `(?:N(?: x)? )?N ${hoursOf} (?:shifts?|days?)${perWeek}|N shifts?${perWeek} (?:of|at|x) N ${hoursOf}(?: each)?`,
    (facts, { amounts, text }) => {
      const [first, second] = amounts.map(({ value }) => value);
      const [shifts, hours] = /shifts?.* (?:of|at|x)/.test(text)
        ? [first, second]
        : second === undefined
          ? [undefined, first]
          : [first, second];
      if (hours === undefined || hours > 24 || (shifts ?? 1) > 7) return false;
      facts.hoursPerDay = hours;
      facts.days = shifts ?? facts.days;
    },
  ),
  rule("N (?:days? )?on(?: (?:and|,|/))* N (?:days? )?off", (facts, { amounts: [on, off] }) => {
    if (!on || !off || facts.days !== undefined) return false;
    facts.days = Number(((7 * on.value) / (on.value + off.value)).toFixed(4));
  }),
  rule("(?:on |working )?nights?(?: shifts?)?(?= (?:,|and|at|for))|N day fortnight|job share"),
  rule("shifts? (?:pattern|work(?:er)?)|compressed (?:hours|week)"),
  // "30 hours over 4 days"
  rule(`N(?: ${hoursOf})?${perWeek} over N days(?: ${each} week)?`, (facts, { amounts: [hours] }) => {
    if (facts.hours !== undefined) return false;
    facts.hours = hours?.value;
  }),
  rule("(?<=N (?:hours?|hrs?) (?:(?:of )?work )?)this week", (facts) => {
    facts.shownBy = "week";
  }),
  rule(`N (?:hours?|hrs?) ${each} day`, (facts, { amounts: [hours] }) => {
    facts.hoursPerDay = hours?.value;
  }),
  // "16 hours every 2 weeks", "80 hours a month", "96 hours this month"
  rule(
    `N ${hoursOf} (?:${each}|this|last|(?:in|for)(?: (?:a|the|one))?) (?:N weeks|(?<unit>fortnight|month))`,
    (facts, { amounts: [hours, weeks], groups, text }) => {
      const times =
        groups.unit === "month" ? 12 : 52 / (groups.unit === "fortnight" ? 2 : (weeks?.value ?? 1));
      if (facts.hours !== undefined || hours === undefined) return false;
      facts.hours = Number(((hours.value * times) / weeksPerYear).toFixed(4));
      if (/ (?:this|last) /.test(text))
        facts.remarks.push(`I assumed that every ${groups.unit ?? "payday"} is like this one.`);
    },
  ),
  rule(`N (?:hours?|hrs?|h)${perWeek}(?: contract)?`, (facts, { amounts: [hours], text }) => {
    const value = hours?.value ?? 0;
    if (facts.hours !== undefined || !(value > 0 && value <= 168)) return false;
    if (value <= 12 && !/w/.test(text)) facts.hoursPerDay = value;
    facts.hours = value;
  }),
  rule(`N (?:days?|shifts?) ${each} (?<unit>year|annum|yr|month)`, (facts, { amounts: [days], groups }) => {
    facts.days = 1;
    facts.weeks = (days?.value ?? 0) * (groups.unit === "month" ? 12 : 1);
  }),
  // "1,650 hours a year": the hours of a week
  rule(
    `A ${hoursOf}(?: ${each} (?:year|annum|yr))?|annuali[sz]ed hours(?: of)? A`,
    (facts, { amounts: [hours] }) => {
      if (hours === undefined || facts.hours !== undefined || hours.currency !== "unsaid") return false;
      if (hours.value <= 168 || hours.value > 3_500) return false;
      facts.hours = hours.value / weeksPerYear;
    },
  ),
  // "95 per shift, 3 a week"
  rule(
    `(?<=(?:shift|day|daily|pd)(?: ,)? )N(?: ${each} week| weekly| times ${each} week)`,
    (facts, { amounts: [days] }) => {
      const value = days?.value ?? 0;
      if (facts.days !== undefined || !(value > 0 && value <= 7)) return false;
      facts.days = value;
    },
  ),
  // "£450 a day, 220 days"
  rule(`N (?:working )?days(?: worked)?`, (facts, { amounts: [days] }, reading) => {
    const value = days?.value ?? 0;
    if (facts.days !== undefined || value < 60 || value > 366) return false;
    if (!reading.money.some(({ period }) => period === "day") && !/day/.test(reading.text)) return false;
    facts.days = 1;
    facts.weeks = value;
    facts.remarks.push(`I assumed ${value} days a year.`);
  }),
  rule(`N (?:days?|shifts?)${perWeek}`, (facts, { amounts: [days] }) => {
    const value = days?.value ?? 0;
    if (facts.days !== undefined || !(value > 0 && value <= 7)) return false;
    facts.days = value;
  }),
  // "32.5 hours out of 37, paid for 44.5 weeks of 52"
  rule("(?:paid )?(?:for )?N weeks (?:of|out of) N", (facts, { amounts: [paid, all] }) => {
    const share = (paid?.value ?? 0) / (all?.value ?? 1);
    if (all?.value !== weeksPerYear || share > 1) return false;
    const { share: part = 1, words = "full time" } = facts.fraction ?? {};
    facts.fraction = { share: part * share, words: `${words} and ${paid?.value} of ${weeksPerYear} weeks` };
  }),
  rule(
    `N weeks(?: ${each} (?:year|annum|yr)| (?:of|in) (?:the|a) year)?`,
    (facts, { amounts: [weeks], text }) => {
      const value = weeks?.value ?? 0;
      // A few weeks by themselves are not a working year.
      if (!(value > (text.endsWith("weeks") ? 20 : 0) && value <= 53)) return false;
      facts.weeks = value;
    },
  ),
  rule("term time(?: only)?", (facts, _, reading) => {
    if (facts.weeks === undefined && /\b(?:day|daily|hour|hr|ph|hourly)\b/.test(reading.text)) {
      facts.weeks = 39;
      facts.remarks.push("I assumed the 39 weeks of school terms: name the paid weeks if they are more.");
    } else if (facts.weeks === undefined)
      facts.remarks.push("I assumed 52 paid weeks: name them if they are fewer, such as “39 weeks”.");
  }),
  rule(
    "(?:going |go |drop |dropping )?from full time to N(?! (?:hours?|hrs?|days?))",
    (facts, { amounts: [share] }) => setPart(facts, share?.value ?? 0, 1, undefined),
  ),
  rule("pro rata|fte|full time equivalent", (facts) => {
    if (facts.fraction !== undefined) return;
    if (facts.days === undefined && facts.hours === undefined) return false;
    facts.isFullTime = true;
  }),
  rule(
    "how much (?:would|will|does)(?: (?:·|my))* take home(?: pay)? (?:go down|drop|fall|reduce)(?: by)?|how much (?:less|lower|worse off)|(?:how much|what) (?:(?:money|pay|net|take home) )?(?:do|will|would|could|am|are) (?:i|we)(?: (?:be|stand to|actually))* (?:lose|losing|losing out on|down)|(?:what|how much) (?:is|would be)?(?: the)? (?:loss|difference)",
    (facts) => {
      if (facts.fraction === undefined) return false;
      facts.asksLess = true;
    },
  ),
  sets("full time(?: hours)?", { isFullTime: true, speaksOfPay: true }),
];

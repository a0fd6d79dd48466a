/**
 * The most common leaked passwords, without the digits and signs that people add. It includes words that are too short
 * for a password, because people extend them: `password1`, `Qwerty2024!`.
 */
const COMMON_WORDS = new Set(
  `password passwort passwd motdepasse contrasena parola senha passw letmein welcome welcom admin administrator login
  master secret changeme default guest user root test testing tester temp temporary qwerty qwertz azerty qwertyuiop
  asdfgh asdfghjkl asdf zxcvbn zxcvbnm qazwsx qazwsxedc abc abcd abcdef abcdefgh iloveyou iloveu ilovegod loveme
  lovely lover love sunshine princess princesa football soccer baseball basketball hockey tennis liverpool arsenal
  chelsea manchester barcelona realmadrid juventus monkey dragon shadow superman batman spiderman ironman pokemon
  starwars naruto minecraft fortnite roblox michael jennifer jessica ashley daniel thomas charlie george jordan
  andrew matthew anthony robert joshua william samantha michelle nicole amanda maggie ginger buster bailey hunter
  tigger pepper cookie chocolate cheese orange banana apple summer winter autumn spring january february march april
  june july august september october november december monday tuesday wednesday thursday friday saturday sunday
  whatever trustno mustang ferrari porsche mercedes corvette harley yamaha killer freedom access flower blessed
  jesus jesuschrist heaven angel angels babygirl babyboy family forever friends computer internet google facebook
  instagram linkedin microsoft windows samsung iphone android adobe photoshop oracle cisco letmeinnow opensesame
  nothing something anything unknown starting hello helloworld hellokitty goodbye fuckyou fuckoff asshole bitch
  blink chicken diamond purple silver golden yellow london england scotland america canada france germany india
  england united dolphin eagle falcon phoenix tiger lion panther scorpion rainbow butterfly snoopy garfield donald
  mickey scooby matrix gandalf merlin wizard cheeseburger headgate chatbot openai`
    .split(/\s+/)
    .filter(Boolean),
);

/** Sequences of keys, letters and digits. A password must not consist only of parts of them. */
const RUNS = [
  "abcdefghijklmnopqrstuvwxyz",
  "01234567890123456789",
  "qwertyuiop",
  "asdfghjkl",
  "zxcvbnm",
  "qwertzuiop",
  "azertyuiop",
  "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
  "1q2w3e4r5t6y7u8i9o0p",
  "q1w2e3r4t5y6u7i8o9p0",
  "!@#$%^&*()",
];

/** Characters that people use instead of letters. */
const LEET: Readonly<Record<string, string>> = {
  "0": "o",
  "1": "i",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "8": "b",
  "@": "a",
  $: "s",
  "!": "i",
};

const SHORTEST_RUN = 4;
/** Up to this length, a password of only digits and signs is probably a date or a phone number. */
const LONGEST_OF_DIGITS = 16;

/**
 * Whether a password is easy to guess: a common word with additions, a sequence of keys, a repetition, or the account's
 * own e-mail address.
 *
 * @param email the account's address, if known
 */
export function isWeakPassword(password: string, email?: string): boolean {
  const text = password.toLowerCase();
  const name = email?.toLowerCase().split("@")[0] ?? "";
  if (
    email !== undefined &&
    (text === email.toLowerCase() || (name.length >= 4 && bare(text) === bare(name)))
  )
    return true;
  return isRepetition(text) || isMadeOfRuns(text) || isCommonWord(text);
}

function isCommonWord(text: string): boolean {
  const spellings = [bare(text), bare(unleet(text)), bare(unleet(trimmed(text)))];
  return spellings.some(
    (word) =>
      (word === "" && text.length < LONGEST_OF_DIGITS) ||
      COMMON_WORDS.has(word) ||
      COMMON_WORDS.has(half(word)),
  );
}

/** Removes what people add: digits and signs at either end, and signs in between. */
function bare(text: string): string {
  return trimmed(text).replace(/[\s._\-+]/g, "");
}

function trimmed(text: string): string {
  return text.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, "");
}

function unleet(text: string): string {
  return [...text].map((character) => LEET[character] ?? character).join("");
}

/** Returns `word` for `wordword`, and an empty text otherwise. */
function half(word: string): string {
  const middle = word.length / 2;
  return Number.isInteger(middle) && word.slice(0, middle) === word.slice(middle)
    ? word.slice(0, middle)
    : "";
}

/** Whether a text repeats one to four characters: `aaaaaaaa`, `12121212`, `abcabcabc`. */
function isRepetition(text: string): boolean {
  return /^(.{1,4}?)\1+.{0,3}$/su.test(text) && new Set(text).size <= 4;
}

/** Whether a text consists of parts of sequences, forward or backward: `12345678`, `qwer1234`, `fdsa4321`. */
function isMadeOfRuns(text: string): boolean {
  let at = 0;
  while (at < text.length) {
    const length = longestRunAt(text, at);
    if (length < SHORTEST_RUN) return false;
    at += length;
  }
  return true;
}

function longestRunAt(text: string, at: number): number {
  let longest = 0;
  for (const row of RUNS) {
    for (const direction of [row, [...row].reverse().join("")]) {
      let length = 0;
      while (at + length < text.length && direction.includes(text.slice(at, at + length + 1))) length += 1;
      longest = Math.max(longest, length);
    }
  }
  return longest;
}

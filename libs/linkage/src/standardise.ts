/**
 * Standardisation: one spelling for what two agencies wrote differently. The rules are fixed and versioned because both
 * sides must apply the same ones; `vectors/standardise-v1.json` pins them. A value that says nothing ("unknown",
 * 01/01/1900, a failed check digit) becomes missing, and a missing component makes no key.
 */
import { canonicalForename } from './nicknames.js';

/** Version of every rule in this file and of the nicknames; part of the domain tag of each match key. */
export const RULES_VERSION = 'std/v1';

/** The fields of a person record as an agency holds them, all optional free text. */
export const PERSON_FIELDS = [
  'forename',
  'surname',
  'dateOfBirth',
  'houseNumber',
  'street',
  'locality',
  'town',
  'region',
  'postcode',
  'idNumber',
] as const;
export type PersonField = (typeof PERSON_FIELDS)[number];
export type PersonRecord = Readonly<Partial<Record<PersonField, string>>>;

/** A standardised record: lower-case ASCII letters and digits, or '' where the value is missing. */
export interface StandardPerson {
  readonly forename: string;
  readonly surname: string;
  /** `yyyymmdd` of a date that exists, else ''. */
  readonly date: string;
  /** Eight digits even where they are no date (a slip of the pen still sorts to the same digits), else ''. */
  readonly dateDigits: string;
  readonly houseNumber: string;
  readonly street: string;
  readonly locality: string;
  readonly town: string;
  readonly region: string;
  readonly postcode: string;
  /** UK: outward code and first inward digit; elsewhere the first three characters. */
  readonly sector: string;
  readonly idNumber: string;
}

/** Letters that Unicode decomposition leaves whole. */
const LETTERS: Readonly<Record<string, string>> = {
  ...{
    ß: 'ss',
    æ: 'ae',
    œ: 'oe',
    ø: 'o',
    ł: 'l',
    đ: 'd',
    ð: 'd',
    þ: 'th',
    ı: 'i',
    ħ: 'h',
    ŋ: 'ng',
  },
};

const PLACEHOLDERS = new Set(
  (
    'unknown unkown unk notknown notgiven nk na none nil null anon anonymous test tba tbc refused notstated ' +
    'withheld nfa nofixedabode nofixedaddress male female baby infant babyboy babygirl xx xxx xxxx noname ' +
    'nosurname noforename deceased'
  ).split(' '),
);

const TITLES = new Set(
  'mr mrs ms miss mx dr prof professor sir dame lord lady rev revd reverend master cllr councillor hon sgt pc'.split(
    ' ',
  ),
);

/** Words of a street address that are written in full or short. */
const STREET_WORDS: Readonly<Record<string, string>> = {
  ...{
    st: 'street',
    str: 'street',
    rd: 'road',
    ave: 'avenue',
    av: 'avenue',
    ln: 'lane',
    cl: 'close',
    ct: 'court',
  },
  ...{
    cres: 'crescent',
    cr: 'crescent',
    dr: 'drive',
    pl: 'place',
    sq: 'square',
    gdns: 'gardens',
    gdn: 'gardens',
  },
  ...{
    tce: 'terrace',
    ter: 'terrace',
    terr: 'terrace',
    pde: 'parade',
    hwy: 'highway',
    cct: 'circuit',
    grn: 'green',
  },
  ...{ vlge: 'village', hse: 'house', flt: 'flat', apt: 'flat', apartment: 'flat', unit: 'flat' },
};

/** Lower case without diacritics; apostrophes vanish (O'Brien, Siân-Élise, D’Arcy), everything else but letters and digits is a space. */
const wordsOf = (text: string): string[] =>
  text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/\P{ASCII}/gu, (letter) => LETTERS[letter] ?? (/[’‘ʼ`´]/u.test(letter) ? '' : ' '))
    .replace(/['`]/g, '')
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');

const known = (value: string): string =>
  PLACEHOLDERS.has(value) || (/^(.)\1*$/.test(value) && value.length > 3) ? '' : value;

const withoutTitles = (words: string[]): string[] => {
  let from = 0;
  while (from < words.length - 1 && TITLES.has(words[from] as string)) from++;
  return words.slice(from);
};

/** First given name in its canonical form: "Dr Bob James" gives `robert`; joined when hyphenated (`jeanluc`). */
export function standardForename(text: string): string {
  const joined = text.replace(/(?<=\p{L})[-‐‑–](?=\p{L})/gu, '');
  const words = withoutTitles(wordsOf(joined)).filter((word) => /[a-z]/.test(word));
  if (known(words.join('')) === '') return '';
  const first = known(words[0] ?? '');
  return canonicalForename(first.replace(/[0-9]/g, ''));
}

/** All words of the surname joined: "Smith-Jones" and "Smith Jones" give `smithjones`, "ap Rhys" `aprhys`, "Mac Donald" `macdonald`. */
export function standardSurname(text: string): string {
  const words = withoutTitles(wordsOf(text));
  return known(words.join('').replace(/[0-9]/g, ''));
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const daysIn = (year: number, month: number): number =>
  month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
    ? 29
    : (DAYS[month - 1] ?? 0);

/** Dates entered for "unknown": 1 January of 1800, 1900 and 1901, and strings of one digit. */
const PLACEHOLDER_DATES = new Set([
  '18000101',
  '19000101',
  '19010101',
  '11111111',
  '00000000',
  '99999999',
]);

/**
 * `yyyymmdd`, `yyyy-mm-dd` or `dd/mm/yyyy` (any separators) to a date and its eight digits. A day over 12 in the month's
 * place is read as swapped. No date at all, or a placeholder, is missing.
 */
export function standardDate(text: string): { readonly date: string; readonly dateDigits: string } {
  const missing = { date: '', dateDigits: '' };
  const trimmed = text.trim().replace(/[T ]\d\d:\d\d.*$/, '');
  const british = /^(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4})$/.exec(trimmed);
  const iso = /^(\d{4})[/.\- ]?(\d{1,2})[/.\- ]?(\d{1,2})$/.exec(trimmed);
  const parts = british ? [british[3], british[2], british[1]] : iso ? iso.slice(1) : null;
  if (!parts) return missing;
  const [year, month, day] = parts.map((part) => (part as string).padStart(2, '0')) as [
    string,
    string,
    string,
  ];
  const dateDigits = `${year}${month}${day}`;
  if (PLACEHOLDER_DATES.has(dateDigits)) return missing;
  const exists = (m: string, d: string): boolean =>
    Number(m) >= 1 &&
    Number(d) >= 1 &&
    Number(d) <= daysIn(Number(year), Number(m)) &&
    Number(year) >= 1850;
  if (exists(month, day)) return { date: dateDigits, dateDigits };
  if (exists(day, month)) return { date: `${year}${day}${month}`, dateDigits };
  return { date: '', dateDigits };
}

const UK_POSTCODE = /^(gir0aa|[a-z]{1,2}[0-9][a-z0-9]?[0-9][a-z]{2})$/;

/** Compact lower case: `sw1a1aa`, or a foreign code as it is (two to ten characters with a digit). "ZZ99" codes mean no fixed or unknown address. */
export function standardPostcode(text: string): {
  readonly postcode: string;
  readonly sector: string;
} {
  const compact = wordsOf(text).join('');
  const missing = { postcode: '', sector: '' };
  if (compact.startsWith('zz99') || !/[0-9]/.test(compact) || known(compact) === '') return missing;
  if (UK_POSTCODE.test(compact)) return { postcode: compact, sector: compact.slice(0, -2) };
  if (compact.length < 2 || compact.length > 10) return missing;
  return { postcode: compact, sector: compact.slice(0, 3) };
}

/** Modulus 11 over ten digits (NHS Data Dictionary, NHS NUMBER). */
const isNhsNumber = (digits: string): boolean => {
  let sum = 0;
  for (let i = 0; i < 9; i++) sum += Number(digits[i]) * (10 - i);
  const check = (11 - (sum % 11)) % 11;
  return check !== 10 && check === Number(digits[9]);
};

/** An identity number: ten digits must pass the NHS check digit; other schemes are kept as written (4 to 20 characters). */
export function standardIdNumber(text: string): string {
  const compact = wordsOf(text).join('');
  if (compact.length < 4 || compact.length > 20 || known(compact) === '') return '';
  if (/^[0-9]{10}$/.test(compact)) return isNhsNumber(compact) ? compact : '';
  return compact;
}

const standardPlace = (text: string): string =>
  known(
    wordsOf(text)
      .map((word) => STREET_WORDS[word] ?? word)
      .join(''),
  );

/** Standardises one record. Never throws: what cannot be read is missing. */
export function standardise(person: PersonRecord): StandardPerson {
  const house = wordsOf(person.houseNumber ?? '')
    .join('')
    .replace(/^0+(?=.)/, '');
  return {
    forename: standardForename(person.forename ?? ''),
    surname: standardSurname(person.surname ?? ''),
    ...standardDate(person.dateOfBirth ?? ''),
    houseNumber: house,
    street: standardPlace(person.street ?? ''),
    locality: standardPlace(person.locality ?? ''),
    town: standardPlace(person.town ?? ''),
    region: standardPlace(person.region ?? ''),
    ...standardPostcode(person.postcode ?? ''),
    idNumber: standardIdNumber(person.idNumber ?? ''),
  };
}

/**
 * SYNTHETIC people: two agencies' lists of an invented area, with the errors that UK linkage studies report (Harron et al.
 * 2017; ONS 2013): surnames differ for about 18 % and forenames for about 12 % of the people known to both, people move,
 * families share a surname and an address, twins a date of birth too, and errors come together: a poor encounter spoils
 * several fields, a marriage changes surname and address. Every record says that it is synthetic.
 */
import type { RandomSource } from '#libs/dp';
import type { PersonRecord } from './standardise.js';
import {
  FORENAMES,
  type NameOrigin,
  STREETS,
  SURNAME_ENDS,
  SURNAME_STARTS,
  SURNAMES,
} from './synthetic-names.js';

export type { NameOrigin } from './synthetic-names.js';

/** One invented record. `person` is the truth that only a demo or a test may look at. */
export interface SyntheticRecord {
  readonly synthetic: true;
  readonly person: string;
  readonly origin: NameOrigin;
  readonly record: PersonRecord;
}

export interface SyntheticPlan {
  /** Known to A only, to B only, to both. */
  readonly onlyLeft: number;
  readonly onlyRight: number;
  readonly both: number;
  /** 1 is a usual UK population; 0 makes every error independent of every other. */
  readonly dependence: number;
  /** Share of the people known to both whose surname changed between the lists; 0.09 unless given. */
  readonly nameChange?: number;
  /** Share of people who have one name only, written as surname; 0 unless given. */
  readonly singleNames?: number;
}

export interface SyntheticLists {
  readonly left: readonly SyntheticRecord[];
  readonly right: readonly SyntheticRecord[];
}

/** Uniform draws from words; 2^-32 steps are fine for invented data. */
class Draws {
  private readonly words = new Uint32Array(4096);
  private at = 4096;

  constructor(private readonly random: RandomSource) {}

  /** In [0, 1). */
  unit(): number {
    if (this.at === this.words.length) {
      this.random.fillWords(this.words);
      this.at = 0;
    }
    return (this.words[this.at++] as number) / 0x1_0000_0000;
  }
  chance(probability: number): boolean {
    return this.unit() < probability;
  }
  below(count: number): number {
    return Math.floor(this.unit() * count);
  }
  /** Rank-weighted (Zipf-like): early entries are common. */
  common<T>(list: readonly T[]): T {
    return list[Math.floor(list.length * this.unit() ** 1.6)] as T;
  }
}

interface TruePerson {
  readonly origin: NameOrigin;
  readonly forename: string;
  readonly surname: string;
  readonly date: Date;
  readonly home: Home;
}

interface Home {
  readonly houseNumber: string;
  readonly street: string;
  readonly postcode: string;
}

const LETTERS = 'abdefghjlnpqrstuwxyz';

/** Postcodes of about 15 homes in one city. */
const drawHome = (draws: Draws, homes: number): Home => {
  const postcode = draws.below(Math.max(20, Math.floor(homes / 15)));
  const street = STREETS[postcode % STREETS.length] as string;
  const unit = `${LETTERS[Math.floor(postcode / 20) % 20]}${LETTERS[postcode % 20]}`;
  const outward = 1 + (Math.floor(postcode / 3600) % 16);
  return {
    houseNumber: `${1 + draws.below(60)}`,
    street,
    postcode: `BS${outward} ${Math.floor(postcode / 400) % 9}${unit}`.toUpperCase(),
  };
};

const drawSurname = (draws: Draws, origin: NameOrigin): string => {
  if (origin === 'welsh' && draws.chance(0.06)) return drawPatronymic(draws);
  if (origin !== 'british' || draws.chance(0.45)) return draws.common(SURNAMES[origin]);
  return `${draws.common(SURNAME_STARTS)}${draws.common(SURNAME_ENDS)}`;
};

const drawDate = (draws: Draws): Date =>
  new Date(Date.UTC(1938, 0, 1) + draws.below(75 * 365) * 86_400_000);

/** Patronymics of some Welsh people: "ap Rhys", "ferch Huw". */
const drawPatronymic = (draws: Draws): string =>
  `${draws.chance(0.5) ? 'ap' : 'ferch'} ${draws.common(FORENAMES.welsh)}`;

/** A person, sometimes a relative of the one before: the same surname and home; a twin shares the date too. */
function drawPerson(
  draws: Draws,
  homes: number,
  before: TruePerson | null,
  singleNames: number,
): TruePerson {
  const related = before !== null && draws.chance(0.3);
  const twin = related && draws.chance(0.03);
  const roll = draws.unit();
  const origin = related
    ? before.origin
    : roll < 0.75
      ? 'british'
      : roll < 0.8
        ? 'welsh'
        : roll < 0.92
          ? 'south-asian'
          : 'east-european';
  return {
    origin,
    // Drawn only where asked for, so that the usual plan gives the same people without it.
    forename: singleNames > 0 && draws.chance(singleNames) ? '' : draws.common(FORENAMES[origin]),
    surname: related ? before.surname : drawSurname(draws, origin),
    date: twin ? before.date : drawDate(draws),
    home: related ? before.home : drawHome(draws, homes),
  };
}

const typo = (draws: Draws, text: string): string => {
  const at = 1 + draws.below(Math.max(1, text.length - 1));
  const letter = LETTERS[draws.below(LETTERS.length)] as string;
  const kind = draws.below(3);
  if (kind === 0) return `${text.slice(0, at)}${letter}${text.slice(at + 1)}`;
  return kind === 1
    ? text.slice(0, at) + text.slice(at + 1)
    : `${text.slice(0, at)}${letter}${text.slice(at)}`;
};

const two = (value: number): string => `${value}`.padStart(2, '0');

const writeDate = (draws: Draws, date: Date, wrong: boolean): string => {
  let [day, month, year] = [date.getUTCDate(), date.getUTCMonth() + 1, date.getUTCFullYear()];
  if (wrong) {
    const kind = draws.unit();
    if (kind < 0.35) [day, month] = [month, day];
    else if (kind < 0.6) day = 1 + draws.below(28);
    else if (kind < 0.75) month = 1 + draws.below(12);
    else if (kind < 0.9) year += draws.below(2) === 0 ? 1 : -10;
    else return '';
  }
  return `${two(day)}/${two(month)}/${year}`;
};

const SHORT: Readonly<Record<string, string>> = {
  ...{
    David: 'Dave',
    Michael: 'Mike',
    Christopher: 'Chris',
    James: 'Jim',
    Robert: 'Bob',
    Thomas: 'Tom',
  },
  ...{
    Susan: 'Sue',
    Margaret: 'Maggie',
    Elizabeth: 'Liz',
    Patricia: 'Pat',
    Daniel: 'Dan',
    Samantha: 'Sam',
  },
  ...{
    Matthew: 'Matt',
    Benjamin: 'Ben',
    William: 'Bill',
    Katherine: 'Kate',
    Joseph: 'Joe',
    Mohammed: 'Mohamad',
  },
};

/** English forms that clerks write for Welsh names and that no table of nicknames takes back. */
const ENGLISH: Readonly<Record<string, string>> = {
  ...{ Siân: 'Jane', Ieuan: 'Evan', Siôn: 'Sean', Huw: 'Hugh', Tomos: 'Thomas', Mair: 'Mary' },
  ...{ Carys: 'Caris', Emyr: 'Emir', Ffion: 'Fiona', Gwen: 'Wendy', Iwan: 'Ewan', Owain: 'Owen' },
};

/** How one encounter wrote a person down. `poor` encounters err three times as often in every field. */
function writeRecord(draws: Draws, person: TruePerson, dependence: number): PersonRecord {
  const poor = draws.chance(0.12);
  const rate = (usual: number): number => usual * (1 + dependence * (poor ? 2 : -0.27));
  const foreign = person.origin === 'british' ? 1 : 1 + dependence * 0.6;
  const { forename, surname, home } = person;
  const short = SHORT[forename];
  let given = short !== undefined && draws.chance(0.2) ? short : forename;
  if (forename === '') given = '';
  else if (draws.chance(rate(0.025 * foreign))) given = typo(draws, given);
  else if (draws.chance(rate(0.012))) given = draws.common(FORENAMES[person.origin]);
  let family = draws.chance(rate(0.05 * foreign)) ? typo(draws, surname) : surname;
  if (person.origin === 'welsh') {
    const anglicised = ENGLISH[forename];
    if (anglicised !== undefined && draws.chance(rate(0.06))) given = anglicised;
    // "ap Rhys" becomes "Rhys": the clerk took the patronymic for a middle name.
    if (draws.chance(rate(0.2))) family = family.replace(/^(ap|ferch) /, '');
  }
  const swaps = person.origin === 'south-asian' && forename !== '';
  if (swaps && draws.chance(rate(0.02))) [given, family] = [family, given];
  return {
    forename: draws.chance(rate(0.005)) ? '' : draws.chance(0.1) ? given.toUpperCase() : given,
    surname: family,
    dateOfBirth: writeDate(draws, person.date, draws.chance(rate(0.014 * foreign))),
    ...home,
    postcode: draws.chance(rate(0.03))
      ? ''
      : draws.chance(rate(0.02))
        ? typo(draws, home.postcode)
        : home.postcode,
    town: 'Bristol',
  };
}

/** Between the lists: a move, and a change of surname that often comes with one. */
function later(draws: Draws, person: TruePerson, plan: SyntheticPlan, homes: number): TruePerson {
  const changed = draws.chance(plan.nameChange ?? 0.09);
  const moveRate = changed ? 0.11 + 0.35 * plan.dependence : 0.11;
  return {
    ...person,
    surname: changed ? drawSurname(draws, person.origin) : person.surname,
    home: draws.chance(moveRate) ? drawHome(draws, homes) : person.home,
  };
}

const shuffle = <T>(draws: Draws, list: T[]): T[] => {
  for (let i = list.length - 1; i > 0; i--) {
    const j = draws.below(i + 1);
    [list[i], list[j]] = [list[j] as T, list[i] as T];
  }
  return list;
};

/** Two lists in which exactly `plan.both` people are known to both. The same `random` gives the same lists. */
export function syntheticLists(plan: SyntheticPlan, random: RandomSource): SyntheticLists {
  const draws = new Draws(random);
  const size = plan.both + plan.onlyLeft + plan.onlyRight;
  const homes = size * 2;
  // Who is known to whom is drawn independently of families: relatives are known together only by chance.
  const roles = shuffle(draws, [
    ...new Array<string>(plan.both).fill('both'),
    ...new Array<string>(plan.onlyLeft).fill('left'),
    ...new Array<string>(plan.onlyRight).fill('right'),
  ]);
  const left: SyntheticRecord[] = [];
  const right: SyntheticRecord[] = [];
  let before: TruePerson | null = null;
  roles.forEach((role, i) => {
    const person = drawPerson(draws, homes, before, plan.singleNames ?? 0);
    before = person;
    const common = { synthetic: true, person: `synthetic-${i}`, origin: person.origin } as const;
    if (role !== 'right')
      left.push({ ...common, record: writeRecord(draws, person, plan.dependence) });
    if (role !== 'left') {
      const now = later(draws, person, plan, homes);
      right.push({ ...common, record: writeRecord(draws, now, plan.dependence) });
    }
  });
  return { left: shuffle(draws, left), right: shuffle(draws, right) };
}

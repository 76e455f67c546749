/**
 * SYNTHETIC people once more, by other rules than `libs/linkage/src/synthetic-people.ts`, which the estimator of overlaps was written beside:
 * how often records err differs from person to person and from encounter to encounter by log-normal factors, which raise all errors and
 * moves alike; names are syllables of a Zipf law; dates may be missing, heap on 1 January, and whole households may move.
 */
import type { RandomSource } from '#libs/dp';
import type { SyntheticLists, SyntheticRecord } from '#libs/linkage';

export interface CarelessPlan {
  readonly both: number;
  readonly onlyEach: number;
  /** Coefficients of variation of the factors of a person and of an encounter; 0 makes errors independent. */
  readonly ofPeople?: number;
  readonly ofEncounters?: number;
  /** Errors of one record of forename, surname, date and postcode at factor 1; nicknames and moves between the lists besides. */
  readonly errors?: readonly [number, number, number, number];
  readonly nicknames?: number;
  readonly moves?: number;
  /** Share of records without date of birth, left and right. */
  readonly datesMissing?: readonly [number, number];
  /** Share of people whose whole household moves between the lists, and of people with a date on 1 January. */
  readonly householdMoves?: number;
  readonly firstOfJanuary?: number;
}

const words = (text: string): readonly string[] => text.split(' ');
const STARTS = words('B C D F G H J K L M N P R S T V W Br Ch Cl Dr Fl Gr Pr Sh St Th Tr');
const VOWELS = words('a e i o u ai ea oo');
const ENDS = words('n r l s t d m nd rt ll ck son ton ley man er field');
const FORENAMES = 400;
const SURNAMES = 4000;
const NICKNAMES_FROM = 1000;
const LETTERS = 'abcdefghijklmnoprstuvwy';

interface Person {
  readonly forename: number;
  readonly surname: number;
  readonly date: readonly [day: number, month: number, year: number];
  readonly home: number;
  /** Where the household is later. */
  readonly nextHome: number;
  readonly factor: number;
}

function drawing(random: RandomSource) {
  const buffer = new Uint32Array(1024);
  let at = buffer.length;
  const unit = (): number => {
    if (at === buffer.length) {
      random.fillWords(buffer);
      at = 0;
    }
    return (buffer[at++] as number) / 2 ** 32;
  };
  const below = (count: number): number => Math.floor(unit() * count);
  return {
    below,
    chance: (probability: number): boolean => unit() < probability,
    /** Rank of a Zipf law. */
    rank: (count: number): number => Math.min(count - 1, Math.floor((count + 1) ** unit() - 1)),
    /** Log-normal with mean 1. */
    factor: (variation: number): number => {
      const variance = Math.log(1 + variation ** 2);
      const normal = Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit());
      return Math.exp(normal * Math.sqrt(variance) - variance / 2);
    },
    pick: <T>(list: ArrayLike<T>): T => list[below(list.length)] as T,
  };
}
type Draws = ReturnType<typeof drawing>;

/** The name of a rank: the same each time. */
function nameOf(rank: number, offset: number): string {
  let rest = rank * 7919 + offset;
  const next = (parts: readonly string[]): string => {
    const part = parts[rest % parts.length] as string;
    rest = Math.floor(rest / parts.length) + rank * 31;
    return part;
  };
  const short = next(STARTS) + next(VOWELS) + next(ENDS);
  return rank % 3 > 0 ? short : short + next(VOWELS) + next(STARTS).toLowerCase() + next(VOWELS);
}

const postcodeOf = (home: number): string =>
  `LS${1 + (home % 17)} ${(home >> 4) % 9}${'ABDEFGHJLN'[Math.floor(home / 153) % 10]}${'ABDEFGHJLNPQRSTUWXYZ'[Math.floor(home / 1530) % 20]}`;

/** A wrong, missing, doubled or swapped letter behind the first. */
function slip(draws: Draws, text: string): string {
  const at = 1 + draws.below(Math.max(1, text.length - 1));
  const [before, after] = [text.slice(0, at), text.slice(at + 1)];
  const letter = draws.pick(LETTERS);
  return draws.pick([
    `${before}${letter}${after}`,
    `${before}${after}`,
    `${before}${letter}${text.slice(at)}`,
    `${before}${after.slice(0, 1)}${text.charAt(at)}${after.slice(1)}`,
  ]);
}

const drawYear = (draws: Draws): number => 1940 + draws.below(72);

function writtenDate(draws: Draws, [day, month, year]: Person['date'], isWrong: boolean): string {
  const kind = isWrong ? draws.below(4) : -1;
  const parts = [
    kind === 0 ? 1 + draws.below(28) : day,
    kind === 1 ? 1 + draws.below(12) : month,
    kind === 2 ? drawYear(draws) : kind === 3 ? year + draws.pick([-1, 1]) : year,
  ];
  return parts.map((part) => `${part}`.padStart(2, '0')).join('/');
}

const CHANGED_NAMES = 0.09;
/** Of those whose name changed, who moved with it. */
const MOVED_WITH_NAME = 0.4;
const MISSING_FORENAMES = 0.01;
const MISSING_POSTCODES = [0.03, 0.05] as const;

/** Two lists in which exactly `plan.both` people are known to both. */
export function carelessLists(plan: CarelessPlan, random: RandomSource): SyntheticLists {
  const draws = drawing(random);
  const [forenames, surnames, dates, postcodes] = plan.errors ?? [0.02, 0.03, 0.015, 0.015];
  const size = plan.both + 2 * plan.onlyEach;
  const postcodesInUse = Math.max(20, Math.floor(size / 8));
  const drawHome = (): number => draws.below(postcodesInUse);
  const drawPerson = (before: Person | null): Person => {
    const related = before !== null && draws.chance(0.3) ? before : null;
    const home = related?.home ?? drawHome();
    const twin = related && draws.chance(0.03);
    const date = draws.chance(plan.firstOfJanuary ?? 0)
      ? ([1, 1, drawYear(draws)] as const)
      : ([1 + draws.below(28), 1 + draws.below(12), drawYear(draws)] as const);
    return {
      forename: draws.rank(FORENAMES),
      surname: related?.surname ?? draws.rank(SURNAMES),
      date: twin ? related.date : date,
      home,
      nextHome: related?.nextHome ?? (draws.chance(plan.householdMoves ?? 0) ? drawHome() : home),
      factor: draws.factor(plan.ofPeople ?? 0.7),
    };
  };
  const write = (person: Person, side: 0 | 1): SyntheticRecord['record'] => {
    const factor = person.factor * draws.factor(plan.ofEncounters ?? 0.7);
    const errs = (rate: number): boolean => draws.chance(1 - Math.exp(-rate * factor));
    const isNickname = errs(plan.nicknames ?? 0.03);
    const forename = nameOf(person.forename + (isNickname ? NICKNAMES_FROM : 0), 11);
    const surname = nameOf(person.surname, 77);
    const [wrongForename, wrongSurname] = [errs(forenames), errs(surnames)];
    const dateOfBirth = writtenDate(draws, person.date, errs(dates));
    const postcode = postcodeOf(person.home);
    const wrongPostcode = errs(postcodes);
    const noDate = draws.chance(plan.datesMissing?.[side] ?? 0);
    return {
      forename: draws.chance(MISSING_FORENAMES)
        ? ''
        : wrongForename
          ? slip(draws, forename)
          : forename,
      surname: wrongSurname ? slip(draws, surname) : surname,
      dateOfBirth: noDate ? '' : dateOfBirth,
      postcode: draws.chance(MISSING_POSTCODES[side])
        ? ''
        : wrongPostcode
          ? slip(draws, postcode)
          : postcode,
    };
  };
  const later = (person: Person): Person => {
    const isChanged = draws.chance(CHANGED_NAMES);
    const moveRate = 1 - Math.exp(-(plan.moves ?? 0.13) * person.factor);
    const moves = draws.chance(moveRate + (isChanged ? MOVED_WITH_NAME : 0));
    return {
      ...person,
      surname: isChanged ? draws.rank(SURNAMES) : person.surname,
      home: moves ? drawHome() : person.nextHome,
    };
  };

  const roles = Array.from({ length: size }, (_, i) =>
    i < plan.both ? 'both' : i < plan.both + plan.onlyEach ? 'left' : 'right',
  );
  for (let i = size - 1; i > 0; i--) {
    const j = draws.below(i + 1);
    [roles[i], roles[j]] = [roles[j] as 'both', roles[i] as 'both'];
  }
  const left: SyntheticRecord[] = [];
  const right: SyntheticRecord[] = [];
  let before: Person | null = null;
  roles.forEach((role, i) => {
    const person = drawPerson(before);
    before = person;
    const known = { synthetic: true, person: `careless-${i}`, origin: 'british' } as const;
    if (role !== 'right') left.push({ ...known, record: write(person, 0) });
    if (role !== 'left') right.push({ ...known, record: write(later(person), 1) });
  });
  return { left, right };
}

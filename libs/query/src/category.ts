/**
 * The fourteen categories every agency's own taxonomy is mapped to. They follow the data.police.uk street-level
 * categories (https://data.police.uk/about/#columns), shortened to kebab-case.
 */
const DISPLAY_NAMES = {
  violence: 'violence and sexual offences',
  weapons: 'possession of weapons',
  robbery: 'robbery',
  burglary: 'burglary',
  'vehicle-crime': 'vehicle crime',
  shoplifting: 'shoplifting',
  'theft-from-person': 'theft from the person',
  'bicycle-theft': 'bicycle theft',
  'other-theft': 'other theft',
  'criminal-damage-arson': 'criminal damage and arson',
  drugs: 'drugs',
  'public-order': 'public order',
  asb: 'anti-social behaviour',
  other: 'other crime',
} as const;

export type Category = keyof typeof DISPLAY_NAMES;

/** Every category, in the order people are shown them; canonical queries sort by code unit instead. */
export const CATEGORIES = Object.keys(DISPLAY_NAMES) as readonly Category[] as readonly [
  Category,
  ...Category[],
];

/** Plain-English name of a category, lower case, to stand inside a sentence. */
export const categoryName = (category: Category): string => DISPLAY_NAMES[category];

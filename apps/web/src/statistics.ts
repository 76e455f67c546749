/** Every statistic that the map shows: what it asks, how its findings look, and how one of them reads. */
import {
  chanceText,
  type Figures,
  numberOf,
  percentText,
  scoreText,
  shareText,
} from './figures.js';
import { countText, formatWhole, rangeText } from './interval.js';
import type { LayerDocument, LayerQuestion } from './layer-client.js';
import type { Theme } from './theme.js';

/** A look of found cells. Its number in the list is what `classOf` answers. */
interface FoundClass {
  readonly text: string;
  readonly colours: Readonly<Record<Theme['name'], string>>;
  /** Stripes tell cold from hot without colour. */
  readonly striped?: boolean;
}

interface Column {
  readonly text: string;
  readonly say: (figures: Figures, document: LayerDocument) => string;
  readonly order: (figures: Figures) => number;
}

export interface Statistic {
  readonly id: StatisticId;
  readonly name: string;
  readonly question: string;
  readonly field: LayerQuestion['field'];
  readonly classes: readonly FoundClass[];
  /** Look of a listed cell; -1 when this statistic does not show it. */
  readonly classOf: (figures: Figures, document: LayerDocument) => number;
  /** The first is what the table is sorted by at the start. */
  readonly columns: readonly Column[];
  /** What one found cell says, most important first. */
  readonly read: (figures: Figures, document: LayerDocument) => readonly string[];
  /** What a counted cell says in which nothing was found. */
  readonly absent: string;
  /** Stands under the classes in the key. */
  readonly note: (document: LayerDocument) => string;
}

export const STATISTIC_IDS = [
  'hotspots',
  'top',
  'emerging',
  'trend',
  'warnings',
  'forecast',
] as const;
export type StatisticId = (typeof STATISTIC_IDS)[number];

const ramp = (
  texts: readonly string[],
  light: readonly string[],
  dark: readonly string[],
  striped = false,
): FoundClass[] =>
  texts.map((text, i) => ({
    text,
    colours: { light: light[i] ?? '', dark: dark[i] ?? '' },
    ...(striped && { striped }),
  }));

const HOT = ['#f7cfae', '#ec9360', '#cb4a2c', '#7a1a14'];
const HOT_DARK = ['#5c2c1f', '#a34a2a', '#e5813f', '#ffd9ae'];
const COLD = ['#b5d4ea', '#7fb2d8', '#3f7fb5', '#174878'];
const COLD_DARK = ['#1f4059', '#346b92', '#63a3d2', '#c0e0f8'];
const MODELLED = ['#d6c5ec', '#b092d4', '#8159b2', '#45207a'];
const MODELLED_DARK = ['#4a3a70', '#7455a3', '#a888d8', '#e9dcff'];
const ALERT = ['#f8cb70', '#e39a26', '#b05a00'];
const ALERT_DARK = ['#6d5010', '#c98f22', '#ffe0a0'];

/** Position of the highest limit that is not above the value, from 0. */
const step = (value: number, limits: readonly number[]): number =>
  limits.reduce((at, limit, i) => (value >= limit ? i + 1 : at), 0);

const text = (document: LayerDocument, name: string): string =>
  String(document.parameters[name] ?? '');
const share = (document: LayerDocument, name: string): string =>
  `${Number((100 * Number(text(document, name))).toPrecision(4))} %`;

/** Standard error of a sum over months, by the widest noise of any cell. */
const sumError = (figures: Figures, { summary }: LayerDocument): number =>
  Math.sqrt(numberOf(figures, 'periods') * numberOf(summary.noise, 'mostSigma2'));
const timesAverage = (figures: Figures, { summary }: LayerDocument): number =>
  numberOf(figures, 'sum') /
  numberOf(figures, 'periods') /
  numberOf(summary, 'averagePerCellPeriod');

const sumColumn: Column = {
  text: 'Likely count',
  say: (figures, document) => rangeText(numberOf(figures, 'sum'), sumError(figures, document)),
  order: (figures) => numberOf(figures, 'sum'),
};
const topColumn: Column = {
  text: 'Chance',
  say: (figures) => shareText(numberOf(figures, 'probabilityTop')),
  order: (figures) => numberOf(figures, 'probabilityTop'),
};

const hotReading = (figures: Figures, document: LayerDocument): string[] => [
  `${countText(numberOf(figures, 'sum'), sumError(figures, document))} in ${figures.periods} ${figures.periods === 1 ? 'period' : 'periods'}, ${scoreText(timesAverage(figures, document))} times the average hexagon.`,
  `Chance of so many in a hexagon of average rate, noise included: ${chanceText(numberOf(figures, 'p'))}.`,
  `Chance of being among the highest ${share(document, 'top')}: ${shareText(numberOf(figures, 'probabilityTop'))}.`,
  `With its neighbours: G* z-score ${scoreText(numberOf(figures, 'z'))}.`,
];

const hotspots: Statistic = {
  id: 'hotspots',
  name: 'Hot spots',
  question: 'Where is crime more frequent than in the average hexagon?',
  field: 'hotspots',
  classes: ramp(
    ['Under 10 times the average', '10 to 30 times', '30 to 100 times', '100 times or more'],
    HOT,
    HOT_DARK,
  ),
  classOf: (figures, document) =>
    figures.hot === 1 ? step(timesAverage(figures, document), [10, 30, 100]) : -1,
  columns: [
    sumColumn,
    {
      text: 'Of average',
      say: (figures, document) => `${scoreText(timesAverage(figures, document))} ×`,
      order: (figures) => numberOf(figures, 'sum') / numberOf(figures, 'periods'),
    },
  ],
  read: (figures, document) => ['Hot spot', ...hotReading(figures, document)],
  absent: 'Not hotter than the average, as far as the noise lets anybody see',
  note: (document) =>
    `An exact test that knows the noise. Of the hexagons shown, about ${share(document, 'rate')} are expected to be false finds.`,
};

const top: Statistic = {
  id: 'top',
  name: 'Likely among the highest',
  question: 'Which hexagons are probably among the very highest?',
  field: 'hotspots',
  classes: ramp(
    ['50 to 80 % sure', '80 to 95 % sure', '95 % sure or more'],
    HOT.slice(1),
    HOT_DARK.slice(1),
  ),
  classOf: (figures) => {
    const probability = numberOf(figures, 'probabilityTop');
    return probability >= 0.5 ? step(probability, [0.8, 0.95]) : -1;
  },
  columns: [topColumn, sumColumn],
  read: (figures, document) => [
    `${shareText(numberOf(figures, 'probabilityTop'))} likely to be among the highest ${share(document, 'top')}`,
    ...hotReading(figures, document).slice(0, 2),
  ],
  absent: 'Less likely than not to be among the highest',
  note: (document) =>
    `Probability of being among the highest ${share(document, 'top')}, given the counts and the known noise. Less likely than not is not shown.`,
};

/** As the statistics library names them, without the side; strongest evidence of growth first. */
const EMERGING = [
  ['intensifying', 'Intensifying'],
  ['persistent', 'Persistent'],
  ['consecutive', 'Consecutive'],
  ['new', 'New'],
  ['sporadic', 'Sporadic'],
  ['oscillating', 'Oscillating'],
  ['diminishing', 'Diminishing'],
  ['historical', 'Historical'],
] as const;
const EMERGING_HOT = [
  ['#7a1a14', '#ffd9ae'],
  ['#a8321f', '#f7b07c'],
  ['#c85a3a', '#e5813f'],
  ['#d6266e', '#ff8fbd'],
  ['#ec9360', '#b8612f'],
  ['#f0b48c', '#914a29'],
  ['#d9a58e', '#7a4a3a'],
  ['#cdbdb4', '#5f5049'],
] as const;
const EMERGING_COLD = [
  ['#174878', '#c0e0f8'],
  ['#2c679c', '#92c6ec'],
  ['#4688bb', '#63a3d2'],
  ['#1f8f8a', '#6fd6cf'],
  ['#86b9dc', '#467ea8'],
  ['#a5cbe5', '#356486'],
  ['#a4bccd', '#3f5d72'],
  ['#b7c2ca', '#46545e'],
] as const;
const emergingName = (figures: Figures): string => {
  const [kind = '', side = ''] = String(figures.class).split('-');
  const name = EMERGING.find(([id]) => id === kind)?.[1] ?? kind;
  return `${name} ${side} spot`;
};

const emerging: Statistic = {
  id: 'emerging',
  name: 'Emerging',
  question: 'What is new, growing or fading?',
  field: 'emerging',
  classes: [
    ...EMERGING.map(([, name], i) => ({
      text: `${name} hot spot`,
      colours: { light: EMERGING_HOT[i]?.[0] ?? '', dark: EMERGING_HOT[i]?.[1] ?? '' },
    })),
    ...EMERGING.map(([, name], i) => ({
      text: `${name} cold spot`,
      colours: { light: EMERGING_COLD[i]?.[0] ?? '', dark: EMERGING_COLD[i]?.[1] ?? '' },
      striped: true,
    })),
  ],
  classOf: (figures) => {
    const [kind, side] = String(figures.class).split('-');
    const at = EMERGING.findIndex(([id]) => id === kind);
    return at < 0 ? -1 : side === 'cold' ? at + EMERGING.length : at;
  },
  columns: [
    {
      text: 'Again in',
      say: (figures) => shareText(numberOf(figures, 'probability')),
      order: (figures) => numberOf(figures, 'probability'),
    },
    {
      text: 'Class',
      say: emergingName,
      order: (figures) => -emerging.classOf(figures, {} as LayerDocument),
    },
  ],
  read: (figures, document) => [
    emergingName(figures),
    `Fresh noise on the same incidents gives it this class in ${shareText(numberOf(figures, 'probability'))} of ${text(document, 'draws')} worlds.`,
  ],
  absent: 'No class that another release of the same incidents would probably give again',
  note: (document) =>
    `Only classes that another release of the same incidents would give again, in at least ${share(document, 'leastShown')} of ${text(document, 'draws')} worlds with fresh noise, are shown.`,
};

const trend: Statistic = {
  id: 'trend',
  name: 'Rising and falling',
  question: 'Which places are getting better or worse?',
  field: 'trend',
  classes: [
    ...ramp(['Rising'], HOT.slice(2, 3), HOT_DARK.slice(2, 3)),
    ...ramp(['Falling'], COLD.slice(2, 3), COLD_DARK.slice(2, 3), true),
  ],
  classOf: (figures) => (numberOf(figures, 'z') > 0 ? 0 : 1),
  columns: [
    {
      text: 'A month',
      say: (figures) => scoreText(numberOf(figures, 'slope')),
      order: (figures) => numberOf(figures, 'slope'),
    },
    {
      text: 'By chance',
      say: (figures) => chanceText(numberOf(figures, 'p')),
      order: (figures) => -numberOf(figures, 'p'),
    },
  ],
  read: (figures) => [
    numberOf(figures, 'z') > 0 ? 'Rising' : 'Falling',
    `Median change a month: ${scoreText(numberOf(figures, 'slope'))}. Mann-Kendall z ${scoreText(numberOf(figures, 'z'))}; chance of this without a trend: ${chanceText(numberOf(figures, 'p'))}.`,
  ],
  absent: 'No trend that stands out from the noise',
  note: (document) =>
    `Mann-Kendall on the noisy counts; about ${share(document, 'rate')} of the hexagons shown are expected to be false finds. Seasons are not taken out.`,
};

const overLimit = (figures: Figures): number =>
  numberOf(figures, 'statistic') / numberOf(figures, 'limit');

const warnings: Statistic = {
  id: 'warnings',
  name: 'Early warnings',
  question: 'Where should somebody look now?',
  field: 'warnings',
  classes: ramp(
    ['Above its limit', '1.5 times its limit or more', 'Twice its limit or more'],
    ALERT,
    ALERT_DARK,
  ),
  classOf: (figures) => step(overLimit(figures), [1.5, 2]),
  columns: [
    {
      text: 'Of limit',
      say: (figures) => `${scoreText(overLimit(figures))} ×`,
      order: overLimit,
    },
    {
      text: 'Usual a month',
      say: (figures) => scoreText(numberOf(figures, 'usualRate')),
      order: (figures) => numberOf(figures, 'usualRate'),
    },
  ],
  read: (figures) => [
    'Early warning',
    `Departure ${scoreText(numberOf(figures, 'statistic'))} from its usual rate of about ${scoreText(numberOf(figures, 'usualRate'))} a month; the limit is ${scoreText(numberOf(figures, 'limit'))}.`,
  ],
  absent: 'No warning: the newest months are as usual, as far as the noise lets anybody see',
  note: (document) =>
    `About ${share(document, 'falseAlarms')} of unchanged hexagons warn by chance. What all hexagons share, such as a season, is no warning.`,
};

/** `1.2 to 4.5`, or one figure when both ends are the same. */
const spanText = (figures: Figures, low: string, high: string): string => {
  const ends = [low, high].map((name) => figures[name]);
  const [from, to] = ends.map((end) =>
    Number.isInteger(end) ? formatWhole(Number(end)) : scoreText(Number(end ?? Number.NaN)),
  );
  return from === to ? `${from}` : `${from} to ${to}`;
};

const forecast: Statistic = {
  id: 'forecast',
  name: 'Forecast',
  question: 'Where will it be next?',
  field: 'forecast',
  classes: ramp(
    [
      'Possible, not chosen',
      'Chosen, under 50 % sure',
      'Chosen, 50 to 80 % sure',
      'Chosen, 80 % sure or more',
    ],
    MODELLED,
    MODELLED_DARK,
  ),
  classOf: (figures) =>
    figures.chosen === 1 ? 1 + step(numberOf(figures, 'probabilityTop'), [0.5, 0.8]) : 0,
  columns: [
    {
      text: 'Rate',
      say: (figures) => spanText(figures, 'low', 'high'),
      order: (figures) => numberOf(figures, 'mean'),
    },
    {
      text: 'Count',
      say: (figures) => spanText(figures, 'countLow', 'countHigh'),
      order: (figures) => numberOf(figures, 'countHigh'),
    },
    topColumn,
  ],
  read: (figures, document) => [
    `About ${scoreText(numberOf(figures, 'mean'))} expected (rate likely ${spanText(figures, 'low', 'high')})`,
    `Likely to be recorded there in that period: ${spanText(figures, 'countLow', 'countHigh')} incidents.`,
    `${figures.chosen === 1 ? 'Among' : 'Not among'} the chosen ${share(document, 'top')}; ${shareText(numberOf(figures, 'probabilityTop'))} likely to belong to them.`,
    `Each range holds in ${share(document, 'coverage')} of all hexagons: the first the true rate, the second the number recorded, which scatters around it.`,
  ],
  absent: 'Not among the places expected to be highest',
  note: () =>
    'A model, not a count: it forecasts what will be recorded. Places are scored, never people.',
};

export const STATISTICS: Readonly<Record<StatisticId, Statistic>> = {
  hotspots,
  top,
  emerging,
  trend,
  warnings,
  forecast,
};

/** Name under which the map knows a look. */
export const foundShade = (id: StatisticId, found: number): string => `${id}-${found}`;

/** Back-test and drift of a forecast in one sentence each. */
export function forecastRecord({ summary }: LayerDocument): readonly string[] {
  const { backTest, drift } = summary as {
    readonly backTest?: {
      readonly hitRate: string;
      readonly standardError: string;
      readonly months: readonly string[];
    };
    readonly drift?: { readonly z: string | null; readonly alarm: boolean };
  };
  const rate = percentText(numberOf(backTest, 'hitRate'));
  const error = percentText(numberOf(backTest, 'standardError'));
  return [
    `Last back-test: ${rate} of incidents fell into the chosen hexagons (standard error ${error}), over ${backTest?.months.length ?? 0} months.`,
    drift?.alarm
      ? 'It drifts: the newest three months were hit clearly less often. Ask its owner before using it.'
      : 'No drift: the newest three months were hit as often as those before.',
  ];
}

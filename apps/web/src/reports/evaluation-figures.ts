/** What the document of an evaluation says, as the report shows it. */
import { numberOf } from '../figures.js';
import type { LayerDocument } from '../layer-client.js';
import { type EvaluationMethod, METHOD_NAMES } from './evaluation-method.js';

/** One way of estimating the effect. Figures that it does not have are NaN. */
export interface Effect {
  readonly method: EvaluationMethod;
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  /** Ends of its interval. */
  readonly low: number;
  readonly high: number;
  readonly error: number;
  readonly z: number;
  /** Of synthetic control: root mean squared difference after over before. */
  readonly ratio: number;
  readonly p: number;
}

/** A released count with the standard deviation of its noise; NaN where nobody counted. */
export interface Measured {
  readonly count: number;
  readonly sd: number;
}

/** One area over time. */
export interface Line {
  /** As the columns of the document name it; `synthetic` for the mix. */
  readonly name: string;
  readonly text: string;
  readonly months: readonly Measured[];
}

const AREA_TEXTS: Readonly<Record<string, string>> = {
  treated: 'Treated',
  control: 'Control',
  displacement: 'Displacement',
  displacementControl: 'Its control',
};

const donorsOf = ({ parameters }: LayerDocument): number =>
  Array.isArray(parameters.donors) ? parameters.donors.length : 0;

/** How the question asked to be judged, from the areas that it names: difference in differences needs none of its own. */
export function effectsOf(document: LayerDocument): readonly Effect[] {
  const { summary } = document;
  const {
    weightedDisplacement: wdd,
    differenceInDifferences: did,
    syntheticControl: mix,
  } = summary;
  const effect = (
    method: EvaluationMethod,
    figures: unknown,
    value: string,
    unit: string,
  ): Effect => ({
    method,
    name: METHOD_NAMES[method],
    unit,
    value: numberOf(figures, value),
    low: numberOf(figures, 'low'),
    high: numberOf(figures, 'high'),
    error: numberOf(figures, 'standardError'),
    z: numberOf(figures, 'z'),
    ratio: numberOf(figures, 'ratio'),
    p: numberOf(figures, 'p'),
  });
  const { length } = summary.monthsAfter as readonly string[];
  const months = `${length} month${length === 1 ? '' : 's'}`;
  const displaced = document.parameters.displacement ? ', displacement included' : '';
  return [
    effect(
      'wdd',
      wdd,
      'change',
      `incidents, ${months} on each side of the start together${displaced}`,
    ),
    effect('did', did, 'effectPerMonth', 'incidents a month, all months'),
    ...(mix
      ? [
          effect(
            'synthetic',
            mix,
            'effect',
            `incidents a month, mix of ${donorsOf(document)} areas`,
          ),
        ]
      : []),
  ];
}

/** True where the placebo test has too few areas to reject anything at this size. */
export const isTooFewDonors = (document: LayerDocument): boolean =>
  1 / (donorsOf(document) + 1) > Number(document.parameters.size);

/** The areas over time, as the columns name them. */
export function linesOf({ columns, rows }: LayerDocument): readonly Line[] {
  const names = columns.slice(1).filter((name) => !name.endsWith('NoiseSd'));
  const figure = (row: LayerDocument['rows'][number], column: string): number => {
    const value = row[columns.indexOf(column)];
    return value === null || value === undefined ? Number.NaN : Number(value);
  };
  return names.map((name) => ({
    name,
    text: AREA_TEXTS[name] ?? `Area ${name.replace('donor', '')}`,
    months: rows.map((row) => ({ count: figure(row, name), sd: figure(row, `${name}NoiseSd`) })),
  }));
}

/** Weight of each comparison area in the mix, in the order of the areas. */
export const weightsOf = ({ summary: { syntheticControl } }: LayerDocument): readonly number[] =>
  ((syntheticControl as { readonly weights?: readonly string[] } | null)?.weights ?? []).map(
    Number,
  );

/** The mix of comparison areas over time. Noise of the areas is taken as independent. */
export function mixOf(lines: readonly Line[], weights: readonly number[]): Line {
  const donors = lines.filter(({ name }) => name.startsWith('donor'));
  const months = (donors[0]?.months ?? []).map((_, t) => {
    const parts = donors.map(({ months }, d) => ({
      ...(months[t] as Measured),
      weight: weights[d] ?? 0,
    }));
    return {
      count: parts.reduce((sum, { count, weight }) => sum + weight * count, 0),
      sd: Math.hypot(...parts.map(({ sd, weight }) => weight * sd)),
    };
  });
  return { name: 'synthetic', text: 'Synthetic control', months };
}

/** Probability with which each relative fall would have been found. */
export const powerOf = ({
  summary: { power },
}: LayerDocument): readonly { readonly fall: number; readonly found: number }[] =>
  ((power ?? []) as readonly { readonly fall: string; readonly found: string }[]).map(
    ({ fall, found }) => ({ fall: Number(fall), found: Number(found) }),
  );

import type { AreaRole } from './area.js';
import { AREA_LOOKS } from './area-looks.js';
import { numberOf, oneDecimal, percentText } from './figures.js';
import { formatWhole } from './interval.js';
import type { LayerDocument } from './layer-client.js';
import { classTexts, PALETTES, roughLimits } from './palette.js';
import type { Release } from './release-client.js';
import { forecastRecord, type Statistic } from './statistics.js';
import type { Theme } from './theme.js';
import {
  areaText,
  dateText,
  epsilonText,
  layerText,
  measureText,
  missingAgencies,
  periodText,
  unitText,
} from './words.js';

/** One colour and what it means. */
export interface Look {
  readonly text: string;
  /** A colour, or the name of a texture. */
  readonly fill: string;
  readonly striped?: boolean;
}

/** Colours in order with the limits between them. */
export interface ScaleModel {
  readonly name: string;
  readonly colours: readonly string[];
  /** What each colour stands for, and the limit after it; the last has none. */
  readonly texts: readonly string[];
  readonly limits: readonly string[];
}

/** One deprivation quintile of a forecast. Figures as people read them. */
export interface FairnessLine {
  readonly quintile: string;
  readonly patrolShare: string;
  readonly populationShare: string;
  readonly hits: string;
  readonly misses: string;
  readonly missesByNoise: string;
}

/** All that a reader must know of what is on screen: the key draws it, and so does an exported picture. */
export interface LegendModel {
  readonly title: string;
  readonly when: string;
  readonly unit: string;
  readonly scales: readonly ScaleModel[];
  readonly looks: readonly Look[];
  readonly note: string | undefined;
  /** Beside every forecast, and only there. */
  readonly fairness: readonly FairnessLine[] | undefined;
  readonly record: readonly string[];
  /** Term, text, and the whole text where it is shortened. */
  readonly facts: readonly (readonly [term: string, text: string, whole?: string])[];
}

const NO_AGENCY: Look = { text: 'No agency covers this', fill: 'hatch' };

/** What was paid, when, on which grid, and who is missing. Several releases of a series cost the same each. */
function releaseFacts(releases: readonly Release[]): LegendModel['facts'] {
  const [first] = releases;
  if (!first) return [];
  const { privacy } = first;
  const missing = [...new Set(releases.flatMap(missingAgencies).map(({ name }) => name))];
  const newest = releases.reduce((a, b) => (a.releasedAt > b.releasedAt ? a : b));
  return [
    [
      'Privacy loss',
      `ε ${epsilonText(privacy.epsilon)}, δ ${privacy.delta.toExponential(0)} per ${unitText(privacy.unit)}${releases.length > 1 ? `, in each of ${releases.length} releases` : ''}`,
    ],
    ['Released', dateText(newest.releasedAt)],
    ...releases.slice(0, 3).map(({ id }) => ['Release', id.slice(0, 16), id] as const),
    ...(releases.length > 3 ? [['', `and ${releases.length - 3} more`] as const] : []),
    ['Grid', `${first.grid} ${first.gridHash.slice(0, 8)}`, first.gridHash],
    ['Missing agencies', missing.length === 0 ? 'None' : missing.join(', ')],
  ];
}

export interface CountsShown {
  readonly release: Release;
  readonly category: string;
  readonly period: string;
  readonly resolution: number;
  readonly breaks: readonly number[];
}

/** Key of a map of counts. */
export function countsLegend(
  { release, category, period, resolution, breaks }: CountsShown,
  { name }: Theme,
): LegendModel {
  const { query } = release;
  const { clear, rough } = PALETTES[name];
  const scale = (
    title: string,
    colours: readonly string[],
    limits: readonly number[],
  ): ScaleModel => {
    const texts = classTexts(limits);
    return {
      name: title,
      colours: colours.slice(0, texts.length),
      texts,
      limits: limits.map(formatWhole),
    };
  };
  return {
    title: layerText(category, query.categories),
    when: periodText(period, query.periods),
    unit: `${measureText(query.measure)} in each hexagon of about ${areaText(resolution)}`,
    scales:
      breaks.length === 0
        ? []
        : [
            scale('Fairly certain', clear, breaks),
            scale('Rough: ±65 % or wider', rough, roughLimits(breaks)),
          ],
    looks: [{ text: 'Cannot be told from zero', fill: 'dots' }, NO_AGENCY],
    note: undefined,
    fairness: undefined,
    record: [],
    facts: releaseFacts([release]),
  };
}

export interface StatisticShown {
  readonly statistic: Statistic;
  readonly releases: readonly Release[];
  readonly category: string;
  readonly resolution: number;
  /** Undefined while it is computed, or when it could not be. */
  readonly document: LayerDocument | undefined;
  /** Classes that some cell has. */
  readonly present: ReadonlySet<number>;
}

/** Key of a statistic. Classes without a cell are left out when there are many. */
export function statisticLegend(
  { statistic, releases, category, resolution, document, present }: StatisticShown,
  { name, quiet }: Theme,
): LegendModel {
  const all = statistic.classes.map((look, i) => ({ look, i }));
  const listed = all.length > 6 ? all.filter(({ i }) => present.has(i)) : all;
  const months = (document?.summary.periods ?? []) as readonly string[];
  return {
    title: `${statistic.name}: ${layerText(category, []).toLowerCase()}`,
    when: document ? whenText(statistic, document, months) : statistic.question,
    unit: `Hexagons of about ${areaText(resolution)}`,
    scales: [],
    looks: [
      ...listed.toReversed().map(({ look: { text, colours, striped } }) => ({
        text,
        fill: colours[name],
        ...(striped && { striped }),
      })),
      { text: 'Counted, nothing found', fill: quiet },
      NO_AGENCY,
    ],
    note: document && statistic.note(document),
    fairness: document && statistic.id === 'forecast' ? fairnessLines(document) : undefined,
    record: document && statistic.id === 'forecast' ? forecastRecord(document) : [],
    facts: [
      ...(document ? [['Result', document.key.slice(0, 16), document.key] as const] : []),
      ...releaseFacts(releases),
    ],
  };
}

export interface AreasShown {
  readonly releases: readonly Release[];
  readonly category: string;
  /** Areas that the method compares. */
  readonly roles: readonly AreaRole[];
  /** First month of the intervention. */
  readonly start: string | undefined;
  /** Undefined while it is computed, or when it could not be. */
  readonly document: LayerDocument | undefined;
}

/** Key of the areas of an evaluation. */
export function areasLegend(
  { releases, category, roles, start, document }: AreasShown,
  { name, quiet }: Theme,
): LegendModel {
  return {
    title: `Evaluation: ${layerText(category, []).toLowerCase()}`,
    when: start
      ? `Intervention from ${periodText(start, [])} on`
      : 'Did it work, and could it be seen?',
    unit: 'The areas that are compared',
    scales: [],
    looks: [
      ...roles.map((role) => {
        const { text, colours, striped } = AREA_LOOKS[role];
        return { text, fill: colours[name], striped };
      }),
      { text: 'Counted, in none of them', fill: quiet },
      NO_AGENCY,
    ],
    note: undefined,
    fairness: undefined,
    record: [],
    facts: [
      ...(document ? [['Result', document.key.slice(0, 16), document.key] as const] : []),
      ...releaseFacts(releases),
    ],
  };
}

function whenText(
  { id }: Statistic,
  { parameters }: LayerDocument,
  months: readonly string[],
): string {
  const from = `From ${periodText('all', months)}`;
  if (id !== 'forecast') return from;
  const horizon = Number(parameters.horizon);
  return `${horizon} month${horizon === 1 ? '' : 's'} ahead of ${periodText(months.at(-1) ?? '', [])}`;
}

/** Whom a forecast serves, and whom the noise fails: most deprived first, unknown last. */
function fairnessLines({ summary }: LayerDocument): readonly FairnessLine[] {
  const reports = (summary.fairness ?? []) as readonly Readonly<Record<string, string | number>>[];
  return [...reports]
    .sort((a, b) => (Number(a.quintile) || 6) - (Number(b.quintile) || 6))
    .map((report) => ({
      quintile:
        {
          0: 'Unknown',
          1: '1, most',
          5: '5, least',
        }[Number(report.quintile)] ?? String(report.quintile),
      patrolShare: percentText(numberOf(report, 'patrolShare')),
      populationShare: percentText(numberOf(report, 'populationShare')),
      hits: oneDecimal(numberOf(report, 'hits')),
      misses: oneDecimal(numberOf(report, 'misses')),
      missesByNoise: oneDecimal(numberOf(report, 'missesByNoise')),
    }));
}

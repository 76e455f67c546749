/** The card of a forecast layer: who answers for it, what it does, how well, for whom, and how to stop it. Made from its run. */
import type { Json } from '#libs/bytes';
import { type Step, stepOf } from './periods.js';
import type { LayerResult } from './result.js';

/** A forecast layer as the coordinator's log tells it. */
export interface SwitchedForecast {
  readonly layer: string;
  readonly isOn: boolean;
  readonly owner: string;
  readonly purpose: string;
  readonly definition: {
    readonly category: string;
    readonly resolution: number;
    readonly horizon: number;
    readonly top: string;
  };
  readonly enabledAt: string;
  readonly disabledAt: string | null;
  readonly disabledBy: string | null;
  readonly reason: string | null;
  readonly alarms: readonly string[];
}

export type ModelCard = Readonly<Record<string, Json>> & { readonly layer: string };

const NO_RUN =
  'It has not been run since it was switched on: nothing is known of how it does, and nothing may be decided by it.';

/** Canonical JSON of the card. `run` is the newest result of the layer; without one the card says so. */
export function modelCard(state: SwitchedForecast, run: LayerResult | undefined): ModelCard {
  const { layer, isOn, owner, purpose, definition, enabledAt } = state;
  return {
    version: 1,
    layer,
    isOn,
    owner,
    purpose,
    definition: { ...definition },
    enabledAt,
    switchedOff:
      state.disabledAt === null
        ? null
        : { at: state.disabledAt, by: state.disabledBy, reason: state.reason },
    killSwitch: `concordat forecast disable --layer ${layer} --analyst ID --key FILE --reason TEXT`,
    alarms: [...state.alarms],
    run: run
      ? {
          result: run.key,
          method: run.method,
          methodVersion: run.methodVersion,
          parameters: run.parameters,
          releases: [...run.releases],
          citation: run.citation,
          uncertainty: run.uncertainty,
          periods: run.summary.periods ?? [],
          noise: run.summary.noise ?? null,
        }
      : null,
    backTest: run?.summary.backTest ?? null,
    drift: run?.summary.drift ?? null,
    fairness: run?.summary.fairness ?? null,
    limitations: run ? [...run.limitations] : [NO_RUN],
  };
}

type Figures = Readonly<Record<string, string | number | null>>;

const percent = (text: string | number | null | undefined): string =>
  text === null || text === undefined ? 'unknown' : `${(100 * Number(text)).toFixed(1)} %`;

const oneDecimal = (text: string | number | null | undefined): string =>
  text === null || text === undefined ? 'unknown' : Number(text).toFixed(1);

const rate = (figures: Json | undefined): string => {
  const { hitRate, standardError, months } = (figures ?? {}) as Figures & { months?: string[] };
  return `${percent(hitRate)} (standard error ${percent(standardError)}; ${(months ?? []).join(', ') || 'none tested'})`;
};

const fairnessTable = (reports: readonly Figures[], step: Step): string[] => [
  `| quintile | share of chosen cells | share of people | hits a ${step} | misses | misses by noise |`,
  '| --- | --- | --- | --- | --- | --- |',
  ...reports.map(
    ({ quintile, patrolShare, populationShare, hits, misses, missesByNoise }) =>
      `| ${quintile === 0 ? 'unknown' : quintile} | ${percent(patrolShare)} | ${percent(populationShare)} | ${oneDecimal(hits)} | ${oneDecimal(misses)} | ${oneDecimal(missesByNoise)} |`,
  ),
];

/** The same as Markdown. */
export function modelCardMarkdown(card: ModelCard): string {
  const { definition, drift, fairness, limitations, run, switchedOff } = card;
  const { category, resolution, horizon, top } =
    definition as unknown as SwitchedForecast['definition'];
  const { baseline, recent, z, alarm } = (drift ?? {}) as Readonly<Record<string, Json>>;
  const off = switchedOff as Figures | null;
  const step = stepOf(((run as { periods?: string[] } | null)?.periods ?? []) as string[]);
  return `${[
    `# Forecast layer ${card.layer}`,
    '',
    `**${card.isOn === true ? 'On' : 'Off'}.** Owner ${card.owner}, purpose ${card.purpose}, switched on ${card.enabledAt}.`,
    off
      ? `Switched off ${off.at} by ${off.by}: ${off.reason}`
      : `To stop it: \`${card.killSwitch}\`. It takes effect at once.`,
    '',
    `Expected recorded incidents of ${category}, ${horizon} ${step}${horizon === 1 ? '' : 's'} ahead, by H3 cell of resolution ${resolution}; the ${percent(top)} of cells with most are chosen. Places are scored, never people.`,
    '',
    '## How well',
    '',
    `Back-test on released counts: hit rate ${rate(card.backTest)}.`,
    `Before: ${rate(baseline)}. Newest ${step}s: ${rate(recent)}; z ${z ?? 'unknown'}. Drift alarm: ${alarm === true ? 'YES' : 'no'}. Alarms so far: ${(card.alarms as readonly string[]).length}.`,
    '',
    '## For whom',
    '',
    ...(fairness === null
      ? ['Unknown.']
      : fairnessTable(fairness as unknown as readonly Figures[], step)),
    '',
    '## Limits',
    '',
    ...(limitations as readonly string[]).map((limit) => `- ${limit}`),
    '',
    '## From what',
    '',
    ...(run === null
      ? ['No run.']
      : [
          `Result ${(run as Figures).result}, computed from releases:`,
          ...((run as { releases: string[] }).releases ?? []).map((id) => `- ${id}`),
          '',
          String((run as Figures).citation),
        ]),
  ].join('\n')}\n`;
}

import { type Area, formatArea, MOST_DONORS, parseArea, ROLES } from './area.js';
import { EVALUATION_METHODS, type EvaluationMethod } from './reports/evaluation-method.js';
import { REPORT_IDS, type ReportId } from './reports/reports.js';
import { STATISTIC_IDS, type StatisticId } from './statistics.js';

/** Everything that decides what is on screen. It lives in the URL's fragment, which no server ever sees. */
export interface ViewState {
  /** Release id; `undefined` means the newest. */
  readonly release?: string | undefined;
  /** `counts`, a statistic of every hexagon, or a report on a whole area. */
  readonly show: 'counts' | StatisticId | ReportId;
  /** Category, or `all`. */
  readonly layer: string;
  /** Period, or `all`. A statistic looks at the months up to it. */
  readonly period: string;
  /** H3 resolution of a statistic; counts take that of the zoom. */
  readonly resolution?: number | undefined;
  /** Name of the forecast layer. */
  readonly forecast?: string | undefined;
  /** How an evaluation is judged; the first of them when undefined. */
  readonly method?: EvaluationMethod | undefined;
  /** Where an intervention was, a place like it without, where crime may have moved to, and a place like that. */
  readonly treated?: Area | undefined;
  readonly control?: Area | undefined;
  readonly displacement?: Area | undefined;
  readonly displacementControl?: Area | undefined;
  /** Areas of a synthetic control. */
  readonly donors?: readonly Area[] | undefined;
  /** First month of the intervention, and how many months before it and from it on count at most. */
  readonly start?: string | undefined;
  readonly before?: number | undefined;
  readonly after?: number | undefined;
  /** Budget of a plan: privacy loss of a year, and questions a year. */
  readonly epsilon?: number | undefined;
  readonly runs?: number | undefined;
  readonly zoom: number;
  readonly latitude: number;
  readonly longitude: number;
  /** Selected cell, 15 hexadecimal digits. */
  readonly cell?: string | undefined;
}

/** England and Wales in one view. */
export const START: ViewState = {
  show: 'counts',
  layer: 'all',
  period: 'all',
  zoom: 5.6,
  latitude: 52.7,
  longitude: -1.9,
};

const MAP = /^(\d{1,2}(?:\.\d{1,2})?)\/(-?\d{1,2}(?:\.\d{1,5})?)\/(-?\d{1,3}(?:\.\d{1,5})?)$/;

/** Reads a fragment; anything it does not understand falls back to the start view, field by field. */
export function parseViewState(fragment: string): ViewState {
  const fields = new URLSearchParams(fragment.replace(/^#/, ''));
  const text = (name: string, pattern: RegExp): string | undefined => {
    const value = fields.get(name);
    return value !== null && pattern.test(value) ? value : undefined;
  };
  const map = MAP.exec(fields.get('map') ?? '');
  const [zoom, latitude, longitude] = (map?.slice(1) ?? []).map(Number);
  const valid =
    zoom !== undefined &&
    latitude !== undefined &&
    longitude !== undefined &&
    zoom <= 22 &&
    Math.abs(latitude) <= 85 &&
    Math.abs(longitude) <= 180;
  const show = fields.get('show');
  const method = fields.get('method');
  const donors = fields
    .getAll('donor')
    .flatMap((area) => parseArea(area) ?? [])
    .slice(0, MOST_DONORS);
  const number = (name: string, pattern: RegExp): number | undefined => {
    const value = text(name, pattern);
    return value === undefined ? undefined : Number(value);
  };
  return {
    show: [...STATISTIC_IDS, ...REPORT_IDS].find((id) => id === show) ?? START.show,
    resolution: number('resolution', /^[4-9]$/),
    forecast: text('forecast', /^[a-z0-9-]{1,64}$/),
    method: EVALUATION_METHODS.find((id) => id === method),
    treated: parseArea(fields.get('treated')),
    control: parseArea(fields.get('control')),
    displacement: parseArea(fields.get('displacement')),
    displacementControl: parseArea(fields.get('displacementControl')),
    donors: donors.length > 0 ? donors : undefined,
    start: text('start', /^\d{4}-(?:0[1-9]|1[0-2])$/),
    before: number('before', /^[1-9]\d?$/),
    after: number('after', /^[1-9]\d?$/),
    epsilon: number('epsilon', /^(?:0\.\d{1,2}|[1-9]\d{0,2}(?:\.\d{1,2})?)$/),
    runs: number('runs', /^(?:[1-9]|[1-4]\d|5[0-4])$/),
    release: text('release', /^[\w.:-]{1,100}$/),
    layer: text('layer', /^[a-z0-9-]{1,64}$/) ?? START.layer,
    period: text('period', /^(?:all|\d{4}-\d{2}(?:\/\d{4}-\d{2})?)$/) ?? START.period,
    ...(valid
      ? { zoom, latitude, longitude }
      : { zoom: START.zoom, latitude: START.latitude, longitude: START.longitude }),
    cell: text('cell', /^[0-9a-f]{15}$/),
  };
}

/** Inverse of `parseViewState`, up to rounding of the view (about one metre). */
export function formatViewState(state: ViewState): string {
  const fields = new URLSearchParams();
  if (state.release !== undefined) fields.set('release', state.release);
  if (state.show !== 'counts') fields.set('show', state.show);
  fields.set('layer', state.layer);
  fields.set('period', state.period);
  if (state.resolution !== undefined) fields.set('resolution', String(state.resolution));
  if (state.forecast !== undefined) fields.set('forecast', state.forecast);
  if (state.method !== undefined) fields.set('method', state.method);
  for (const role of ROLES) {
    const area = state[role];
    if (area) fields.set(role, formatArea(area));
  }
  for (const area of state.donors ?? []) fields.append('donor', formatArea(area));
  for (const name of ['start', 'before', 'after', 'epsilon', 'runs'] as const) {
    const value = state[name];
    if (value !== undefined) fields.set(name, String(value));
  }
  const { zoom, latitude, longitude } = state;
  fields.set('map', `${zoom.toFixed(2)}/${latitude.toFixed(5)}/${longitude.toFixed(5)}`);
  if (state.cell !== undefined) fields.set('cell', state.cell);
  return `#${fields.toString().replaceAll('%2F', '/').replaceAll('%3A', ':').replaceAll('%2C', ',')}`;
}

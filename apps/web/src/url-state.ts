/** Everything that decides what is on screen. It lives in the URL's fragment, which no server ever sees. */
export interface ViewState {
  /** Release id; `undefined` means the newest. */
  readonly release?: string | undefined;
  readonly layer: string;
  readonly period: string;
  readonly zoom: number;
  readonly latitude: number;
  readonly longitude: number;
  /** Selected cell, 15 hexadecimal digits. */
  readonly cell?: string | undefined;
}

/** England and Wales in one view. */
export const START: ViewState = {
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
  return {
    release: text('release', /^[\w.:-]{1,100}$/),
    layer: text('layer', /^[a-z0-9-]{1,64}$/) ?? START.layer,
    period: text('period', /^[a-z0-9-]{1,32}$/i) ?? START.period,
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
  fields.set('layer', state.layer);
  fields.set('period', state.period);
  const { zoom, latitude, longitude } = state;
  fields.set('map', `${zoom.toFixed(2)}/${latitude.toFixed(5)}/${longitude.toFixed(5)}`);
  if (state.cell !== undefined) fields.set('cell', state.cell);
  return `#${fields.toString().replaceAll('%2F', '/').replaceAll('%3A', ':')}`;
}

/** What an evaluation asks: its areas, its months, and what keeps it from being asked. */
import { overlap } from '#libs/grid';
import { type Area, type AreaRole, MOST_DONORS, type Role, withCell } from './area.js';
import { AREA_LOOKS } from './area-looks.js';
import type { LayerQuestion } from './layer-client.js';
import type { EvaluationMethod } from './reports/evaluation-method.js';
import { counting, type Selection } from './selection.js';
import type { Moment } from './series.js';
import type { ViewState } from './url-state.js';
import { type AreaStates, namedIn, stateOf } from './use-areas.js';

/** An area that an evaluation compares. */
export interface ComparedArea {
  readonly role: AreaRole;
  /** As a sentence names it. */
  readonly name: string;
  readonly area: Area;
}

/** Area that takes the hexagons which are clicked: a role, or the place of a comparison area in their list. */
export type Picked = Role | number;

const ROLES_OF: Readonly<Record<EvaluationMethod, readonly Role[]>> = {
  wdd: ['treated', 'control', 'displacement', 'displacementControl'],
  did: ['treated', 'control'],
  synthetic: ['treated', 'control'],
};

export const methodOf = ({ method }: ViewState): EvaluationMethod => method ?? 'wdd';
export const rolesOf = (state: ViewState): readonly Role[] => ROLES_OF[methodOf(state)];

/** The areas that its method compares, as far as they are chosen. */
export function comparedAreas(state: ViewState): readonly ComparedArea[] {
  const roles = rolesOf(state).flatMap((role) => {
    const area = state[role];
    return area ? [{ role, name: `the ${AREA_LOOKS[role].text.toLowerCase()}`, area }] : [];
  });
  const donors = methodOf(state) === 'synthetic' ? (state.donors ?? []) : [];
  return [
    ...roles,
    ...donors.map((area, i) => ({
      role: 'donor' as const,
      name: `comparison area ${i + 1}`,
      area,
    })),
  ];
}

/** The view with a hexagon more, or one less, in the area that takes it. */
export function withPicked(state: ViewState, picked: Picked, cell: string): Partial<ViewState> {
  if (typeof picked === 'string') return { [picked]: withCell(state[picked], cell) };
  const donors = [...(state.donors ?? [])];
  const area = withCell(donors[picked], cell);
  donors.splice(picked, 1, ...(area ? [area] : []));
  return { donors: donors.length > 0 ? donors.slice(0, MOST_DONORS) : undefined };
}

/** Counted months on both sides of a start. */
export function sidesOf(
  moments: readonly Moment[],
  start: string,
): { readonly before: readonly string[]; readonly after: readonly string[] } {
  const counted = moments.filter(({ release }) => release).map(({ period }) => period);
  return {
    before: counted.filter((month) => month < start),
    after: counted.filter((month) => month >= start),
  };
}

/** First months that an intervention can have had: one counted month before it at least. */
export const startsOf = (moments: readonly Moment[]): readonly string[] =>
  moments
    .filter(({ release }) => release)
    .slice(1)
    .map(({ period }) => period);

/** A comparison area may be a control too: both stand for what happens without the intervention. */
const mayShare = (one: AreaRole, other: AreaRole): boolean =>
  (one === 'control' || one === 'displacementControl') && other === 'donor';

/** Why what is chosen cannot be asked; undefined when it can, or when something has yet to be chosen. */
export function evaluationProblem(state: ViewState, areas: AreaStates): string | undefined {
  const compared = comparedAreas(state);
  const known = compared.flatMap(({ role, name, area }) => {
    const found = stateOf(areas, area);
    return found?.step === 'found' ? [{ role, name, cells: found.area.cells }] : [];
  });
  for (const [i, one] of known.entries()) {
    for (const other of known.slice(i + 1)) {
      if (mayShare(one.role, other.role)) continue;
      const [a, b] = [one.cells, other.cells].map((cells) => cells.map(({ cell }) => cell));
      if (overlap(a ?? [], b ?? [])) {
        return `${capital(one.name)} and ${other.name} share a hexagon. Choose areas that do not overlap.`;
      }
    }
  }
  return undefined;
}

/** What has yet to be chosen, or chosen anew, before the areas are complete; undefined when nothing is missing. */
export function missingArea(state: ViewState, areas: AreaStates): string | undefined {
  const unknown = comparedAreas(state).find(({ area }) => stateOf(areas, area)?.step === 'failed');
  if (unknown) {
    return `No hexagons are known of ${unknown.name}: choose it anew${unknown.role === 'donor' ? ', or remove it' : ''}.`;
  }
  const { displacement, displacementControl, donors = [] } = state;
  const method = methodOf(state);
  if (method === 'wdd' && Boolean(displacement) !== Boolean(displacementControl)) {
    return `Choose ${displacement ? 'a control of the displacement area' : 'the displacement area'} too, or clear the other: they count together.`;
  }
  if (method === 'synthetic' && donors.length < 2) {
    return 'A synthetic control is mixed from two comparison areas or more.';
  }
  return undefined;
}

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** The question, once all areas are known; undefined while it is not complete. */
export function evaluationOf(
  { report, series, moments, category }: Selection,
  state: ViewState,
  areas: AreaStates,
): LayerQuestion | undefined {
  const { start } = state;
  if (report?.id !== 'evaluation' || !start || !state.treated || !state.control) return undefined;
  if (missingArea(state, areas) || evaluationProblem(state, areas)) return undefined;
  const compared = comparedAreas(state).map(({ role, area }) => ({
    role,
    cells: namedIn(stateOf(areas, area)),
  }));
  if (compared.some(({ cells }) => !cells)) return undefined;
  const { before, after } = sidesOf(moments, start);
  if (before.length === 0 || after.length === 0) return undefined;
  const donors = compared.flatMap(({ role, cells }) => (role === 'donor' && cells ? [cells] : []));
  return {
    field: 'evaluation',
    given: {
      releases: counting(series, category),
      category,
      start,
      from: before.at(-(state.before ?? before.length)) ?? before[0] ?? null,
      to: after[(state.after ?? after.length) - 1] ?? after.at(-1) ?? null,
      ...Object.fromEntries(
        compared.flatMap(({ role, cells }) => (role === 'donor' ? [] : [[role, cells ?? null]])),
      ),
      ...(donors.length > 0 && { donors }),
    },
  };
}

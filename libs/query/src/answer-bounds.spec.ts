import { describe, expect, it } from '@jest/globals';
import { formatRational, querySensitivity } from '#libs/dp';
import {
  answerBounds,
  answerNoise,
  type Category,
  INCIDENT_UNIT,
  type PrivacyUnit,
} from './index.js';

const unit: PrivacyUnit = { unit: 'person-year', maxPerRelease: 3, maxPerYear: 7 };
const groupsOf = (categories: Category[], periods: string[]) =>
  categories.flatMap((category) => periods.map((period) => ({ category, period })));
const l2 = (measure: 'incidents' | 'people', categories: Category[], periods: string[]) => {
  const { bounds, groups } = answerBounds(measure, groupsOf(categories, periods), unit);
  return querySensitivity(bounds, groups).l2Squared;
};

describe('bounds of an answer', () => {
  it('with the incident as unit are 1 for any number of groups, windows included', () => {
    const groups = groupsOf(['asb', 'drugs'], ['2023-07/2024-06']);
    const { bounds, groups: independent } = answerBounds('incidents', groups, INCIDENT_UNIT);
    expect(querySensitivity(bounds, independent)).toEqual({ l1: 1, l2Squared: 1n });
  });

  it('count months, not categories: ranks of a month run over all of them', () => {
    expect(l2('incidents', ['asb'], ['2024-01'])).toBe(9n);
    expect(l2('incidents', ['asb', 'drugs', 'other'], ['2024-01'])).toBe(9n);
    expect(l2('incidents', ['asb'], ['2024-01', '2024-02'])).toBe(18n);
    // 3 + 3 + 1 of the year's 7.
    expect(l2('incidents', ['asb', 'drugs'], ['2024-01', '2024-02', '2024-03'])).toBe(19n);
  });

  it('take the fullest accounting year: neighbours differ in one', () => {
    expect(l2('incidents', ['asb'], ['2023-12', '2024-01'])).toBe(9n);
    expect(l2('incidents', ['asb'], ['2023-11', '2023-12', '2024-01'])).toBe(18n);
  });

  it('of people: one a group, M a year', () => {
    expect(l2('people', ['asb'], ['2024-01'])).toBe(1n);
    expect(l2('people', ['asb', 'drugs'], ['2024-01', '2024-02'])).toBe(4n);
    expect(l2('people', ['asb', 'drugs'], ['2023-12', '2024-01'])).toBe(2n);
    expect(
      l2('people', ['asb', 'drugs', 'other'], ['2024-01', '2024-02', '2024-03', '2024-04']),
    ).toBe(7n);
  });

  it('make the noise that rho buys, and refuse what the sampler cannot give', () => {
    const query = { measure: 'incidents', rho: '1/8', resolution: 9 } as const;
    const groups = groupsOf(['asb'], ['2024-01', '2024-02', '2024-03']);
    const of = (some: PrivacyUnit) =>
      answerNoise(query, groups, some).map(({ sigma2 }) => formatRational(sigma2));
    // The total has 1/50 of rho 1/8: sigma^2 = 19 / (2 / 400), against 1 / (2 / 400) of an incident.
    expect(of(unit)[0]).toBe('3800');
    expect(of(INCIDENT_UNIT)[0]).toBe('200');
    const wide: PrivacyUnit = { unit: 'person-year', maxPerRelease: 1_000, maxPerYear: 100_000 };
    expect(() => answerNoise({ ...query, rho: '1/1000' }, groups, wide)).toThrow(
      expect.objectContaining({ code: 'noise-too-wide' }),
    );
  });

  it('refuse what has none', () => {
    const window = groupsOf(['asb'], ['2024-01/2024-02']);
    const month = groupsOf(['asb'], ['2024-01']);
    const week = groupsOf(['asb'], ['2024-W07']);
    const cases = [
      ['unbounded-window', () => answerBounds('incidents', window, unit)],
      ['unbounded-window', () => answerBounds('people', window, unit)],
      ['unbounded-window', () => answerBounds('incidents', week, unit)],
      ['measure-not-held', () => answerBounds('people', month, INCIDENT_UNIT)],
      ['wrong-bounds', () => answerBounds('incidents', month, { ...INCIDENT_UNIT, maxPerYear: 2 })],
    ] as const;
    for (const [code, act] of cases) expect(act).toThrow(expect.objectContaining({ code }));
  });
});

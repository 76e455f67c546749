import { describe, expect, it } from '@jest/globals';
import { answerEvents, eventRho, formatRational, sumRationals } from '#libs/dp';
import {
  answerBounds,
  answerNoise,
  canonicaliseQuery,
  groupsOf,
  INCIDENT_UNIT,
  type PrivacyUnit,
} from '#libs/query';
import { exactEpsilon, reportedLoss } from './reported-loss.js';

const query = canonicaliseQuery({
  version: 1,
  measure: 'incidents',
  categories: ['asb', 'drugs'],
  periods: ['2024-01', '2024-02', '2024-03'],
  resolution: 9,
  grid: 'ew-2026-1',
  gridHash: '0'.repeat(64),
  rho: '1/8',
  purpose: 'test',
});
const person: PrivacyUnit = { unit: 'person-year', maxPerRelease: 2, maxPerYear: 5 };
const by = (privacy: PrivacyUnit) => ({ groups: groupsOf(query), privacy });

describe('the reported loss', () => {
  it('by exact accounting is below the zCDP figure, rounded up', () => {
    expect(reportedLoss('1/8')).toEqual({ epsilon: '2.419094', delta: '0.000001' });
    // epsilonAtDelta brackets it in [2.25408668284, 2.25408668286].
    expect(exactEpsilon(query, [by(INCIDENT_UNIT)])).toBe('2.254087');
  });

  it('is the largest of any contributor, and the same when asked again', () => {
    const both = exactEpsilon(query, [by(person), by(INCIDENT_UNIT)]);
    const alone = [person, INCIDENT_UNIT].map((unit) => Number(exactEpsilon(query, [by(unit)])));
    expect(Number(both)).toBe(Math.max(...alone));
    expect(exactEpsilon(query, [by(INCIDENT_UNIT), by(person)])).toBe(both);
  });

  it.each(['incidents', 'people'] as const)('accounts for exactly the rho of %s', (measure) => {
    const asked = { ...query, measure };
    const { bounds, groups } = answerBounds(measure, groupsOf(query), person);
    const events = answerEvents(answerNoise(asked, groupsOf(query), person), bounds, groups);
    const rho = sumRationals(events.flatMap((event) => eventRho(event) ?? []));
    expect(formatRational(rho)).toBe('1/8');
  });
});

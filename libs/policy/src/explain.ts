/** A policy in words: one sentence per grant, and a table. */
import { type Category, categoryName, cellAreaName, type Measure } from '#libs/query';
import { COMPARED_DIMENSIONS } from './dimension.js';
import type { AgencyPolicy, Grant } from './policy.js';

const listed = (items: readonly string[], conjunction: 'and' | 'or'): string =>
  items.length < 2
    ? items.join()
    : `${items.slice(0, -1).join(', ')} ${conjunction} ${items.at(-1)}`;

const measured = (measures: readonly Measure[]): string => {
  const own = {
    '': '',
    incidents: 'incidents',
    people: 'the different people named in incidents',
    'incidents,people': 'incidents, and the different people named in them,',
  }[['incidents', 'people'].filter((item) => measures.includes(item as Measure)).join()];
  const linked = 'the people also known to another agency, by linkage,';
  if (!measures.includes('linked-people')) return own ?? '';
  return own === '' ? linked : `${own} and ${linked}`;
};

const incidents = (count: number): string => (count === 1 ? '1 incident' : `${count} incidents`);

const decisionOf = ({ approval, approvers = 1, holdHours }: Grant): string =>
  approval === 'automatic'
    ? 'answered without asking a person'
    : `held up to ${holdHours} hours until ${approvers === 2 ? 'two different people agree' : 'a person agrees'}`;

/** One grant as one plain-English sentence, made from every bound it has. */
export function explainGrant(grant: Grant): string {
  const { window } = grant;
  const population =
    grant.minPopulation > 0 ? ` with at least ${grant.minPopulation} residents each` : '';
  const { partners, linkedRoles } = grant;
  const partnered = partners ? `, linked people with ${listed(partners, 'or')} only` : '';
  const roles = linkedRoles
    ? `, linked people only where they are ${listed(linkedRoles, 'or')} on both sides`
    : '';
  return (
    `Under "${grant.id}", from ${grant.validFrom} to ${grant.validUntil}, analysts with the role ` +
    `${listed(grant.roles, 'or')} may count ${measured(grant.measures)} of ` +
    `${listed(
      grant.categories.map((category: Category) => categoryName(category)),
      'and',
    )}, ` +
    `for ${listed(grant.purposes, 'or')}${partnered}${roles}, ` +
    `in areas of resolution ${grant.finestResolution} (about ${cellAreaName(grant.finestResolution)}) or larger${population}, ` +
    `over periods of at least ${window.minDays} days within a span of at most ${window.maxDays} days ` +
    `that ended at least ${window.minLagDays} days ago, ` +
    `at a privacy cost of at most rho ${grant.rhoPerQuery} a query, ` +
    `${grant.sealed ? 'in sealed questions only, ' : ''}${decisionOf(grant)} ` +
    `(legal basis: ${grant.legalBasis}; approved by: ${grant.approvedBy}).`
  );
}

/** One sentence per grant, then one per limit and deny rule. */
export function explainPolicy(policy: AgencyPolicy): readonly string[] {
  const { datasets, analysts } = policy.limits;
  return [
    ...policy.grants.map(explainGrant),
    ...Object.entries(datasets).map(
      ([id, { rhoPerYear, privacyUnit: unit }]) =>
        `All analysts together may spend at most rho ${rhoPerYear} on ${id} of any one year; where its records name persons, of ` +
        `one person at most ${incidents(unit.maxPerRelease)} can count in a month and ${incidents(unit.maxPerYear)} in a year.`,
    ),
    `One analyst may spend at most rho ${analysts.rhoPerYear} a year and ask at most ${analysts.queriesPerDay} ` +
      'queries a day.',
    ...policy.deny.map(
      ({ id, reason }) => `Whatever the grants say, rule "${id}" refuses: ${reason}.`,
    ),
    'Everything else is refused.',
  ];
}

/** Rows of `dimension | grant | grant ...`, the header first: what an auditor compares at a glance. */
export const policyTable = (policy: AgencyPolicy): readonly (readonly string[])[] => [
  ['', ...policy.grants.map(({ id }) => id)],
  ...COMPARED_DIMENSIONS.map(({ code, show }) => [code, ...policy.grants.map(show)]),
];

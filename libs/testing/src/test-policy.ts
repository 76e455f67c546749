import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import type { Measure } from '#libs/query';

/** Limits that a test's policies have instead of the bundled ones. */
export interface TestLimits {
  readonly rhoPerQuery?: string;
  readonly rhoPerYear?: string;
  readonly queriesPerDay?: number;
  readonly measures?: readonly Measure[];
  readonly privacyUnit?: { readonly maxPerRelease: number; readonly maxPerYear: number };
}

/** How an agency's grants wait for people instead of being automatic. */
export interface TestHold {
  readonly holdHours: number;
  readonly approvers: 1 | 2;
}

interface DatasetLimit {
  rhoPerYear: string;
  privacyUnit: { readonly maxPerRelease: number; readonly maxPerYear: number };
}

interface PolicyDocument {
  agency?: string;
  grants?: { rhoPerQuery: string; measures: readonly Measure[] }[];
  floor?: { rhoPerQuery: string; measures: readonly Measure[] };
  limits: {
    datasets: {
      incidents: DatasetLimit;
      people?: DatasetLimit;
    };
    analysts: { rhoPerYear: string; queriesPerDay: number };
  };
  baseline?: unknown;
  cases?: unknown[];
}

/** Text of a bundled policy document with other limits, for `agency` when it is an agency's. */
export function policyText(
  file: string,
  limits: TestLimits,
  agency?: { readonly id: string; readonly hold?: TestHold | undefined },
): string {
  const document = parse(readFileSync(file, 'utf8')) as PolicyDocument;
  const { rhoPerQuery, rhoPerYear, queriesPerDay, measures, privacyUnit } = limits;
  for (const bound of [...(document.grants ?? []), ...(document.floor ? [document.floor] : [])]) {
    bound.rhoPerQuery = rhoPerQuery ?? bound.rhoPerQuery;
    bound.measures = measures ?? bound.measures;
  }
  const { datasets, analysts } = document.limits;
  datasets.incidents.rhoPerYear = rhoPerYear ?? datasets.incidents.rhoPerYear;
  datasets.incidents.privacyUnit = privacyUnit ?? datasets.incidents.privacyUnit;
  if (measures?.includes('linked-people')) {
    datasets.people = {
      rhoPerYear: rhoPerYear ?? datasets.incidents.rhoPerYear,
      privacyUnit: { maxPerRelease: 1, maxPerYear: 1 },
    };
  }
  analysts.rhoPerYear = rhoPerYear ?? analysts.rhoPerYear;
  analysts.queriesPerDay = queriesPerDay ?? analysts.queriesPerDay;
  if (agency !== undefined) {
    document.agency = agency.id;
    delete document.baseline;
    document.cases = [];
    if (agency.hold)
      for (const grant of document.grants ?? [])
        Object.assign(grant, { approval: 'hold', ...agency.hold });
  }
  // grants share what holds them, and policies have no anchors
  return stringify(document, { aliasDuplicateObjects: false });
}

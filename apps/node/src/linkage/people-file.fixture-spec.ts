/** People as an agency brings them: one encounter each, in one month. */
import { cellAt, disk, domainFromCells } from '#libs/grid';
import type { SyntheticRecord } from '#libs/linkage';
import { streetFile } from '#libs/testing';

const FIELDS = ['forename', 'surname', 'dateOfBirth', 'street', 'town', 'postcode'] as const;

const peopleFile = (records: readonly SyntheticRecord[]): string =>
  [
    'person_id,category,month,given_name,surname,date_of_birth,address_1,suburb,postcode',
    ...records.map(({ person, record }) =>
      [person, 'asb', '2024-03', ...FIELDS.map((field) => record[field] ?? '')].join(','),
    ),
  ].join('\n');

interface Lists {
  readonly left: readonly SyntheticRecord[];
  readonly right: readonly SyntheticRecord[];
}

/** Two agencies of one small area that know the people of either list, and one incident. */
export function agenciesKnowing({ left, right }: Lists, leftId: string, rightId: string) {
  const cell = cellAt(51.4545, -2.5879, 9);
  const domain = domainFromCells('test/area', disk(cell, 1));
  const files = { 'street.csv': streetFile([{ month: '2024-03', type: 'Robbery', cell }]) };
  return [
    { id: rightId, domain, files, people: peopleFile(right) },
    { id: leftId, domain, files, people: peopleFile(left) },
  ];
}

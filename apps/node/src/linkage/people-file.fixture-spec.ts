/** People as an agency brings them: one encounter each, in one month. */
import type { SyntheticRecord } from '#libs/linkage';

const FIELDS = ['forename', 'surname', 'dateOfBirth', 'street', 'town', 'postcode'] as const;

export const peopleFile = (records: readonly SyntheticRecord[]): string =>
  [
    'person_id,category,month,given_name,surname,date_of_birth,address_1,suburb,postcode',
    ...records.map(({ person, record }) =>
      [person, 'asb', '2024-03', ...FIELDS.map((field) => record[field] ?? '')].join(','),
    ),
  ].join('\n');

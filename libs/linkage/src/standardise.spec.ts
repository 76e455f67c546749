import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { COMPONENT_NAMES, componentOf } from './component.js';
import { checkEntropy, EntropyMeter } from './entropy.js';
import { formatKeySet, matchKey, matchKeyInput, parseKeySet } from './match-key.js';
import {
  type PersonRecord,
  RULES_VERSION,
  standardDate,
  standardForename,
  standardIdNumber,
  standardise,
  standardPostcode,
  standardSurname,
} from './standardise.js';

const vectors = JSON.parse(
  readFileSync(new URL('../vectors/standardise-v1.json', import.meta.url), 'utf8'),
) as Record<string, [string, string, string][]> & { rules: string };

describe(`standardisation ${RULES_VERSION}`, () => {
  it('is the version of the vectors', () => expect(vectors.rules).toBe(RULES_VERSION));

  it.each(vectors.forename as [string, string, string][])('forename %p', (text, expected) => {
    expect(standardForename(text)).toBe(expected);
  });
  it.each(vectors.surname as [string, string, string][])('surname %p', (text, expected) => {
    expect(standardSurname(text)).toBe(expected);
  });
  it.each(vectors.date as [string, string, string][])('date %p', (text, date, dateDigits) => {
    expect(standardDate(text)).toEqual({ date, dateDigits });
  });
  it.each(vectors.postcode as [string, string, string][])(
    'postcode %p',
    (text, postcode, sector) => {
      expect(standardPostcode(text)).toEqual({ postcode, sector });
    },
  );
  it.each(vectors.idNumber as [string, string, string][])(
    'identity number %p',
    (text, expected) => {
      expect(standardIdNumber(text)).toBe(expected);
    },
  );

  it('takes any text, gives ASCII letters and digits, and changes nothing the second time', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 20 });
    fc.assert(
      fc.property(
        fc.record({ forename: text, surname: text, dateOfBirth: text, postcode: text }),
        (person) => {
          const standard = standardise(person as PersonRecord);
          for (const value of Object.values(standard)) expect(value).toMatch(/^[a-z0-9]*$/);
          expect(standardSurname(standard.surname)).toBe(standard.surname);
          expect(standardForename(standard.forename)).toBe(standard.forename);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('what agencies write differently', () => {
  const same = (name: string, ...records: PersonRecord[]) => {
    const values = records.map((record) =>
      componentOf(name as (typeof COMPONENT_NAMES)[number], standardise(record)),
    );
    expect(values[0]).not.toBe('');
    expect(new Set(values).size).toBe(1);
  };
  const surnames = (...names: string[]) =>
    same('surname', ...names.map((surname) => ({ surname })));
  const forenames = (...names: string[]) =>
    same('forename', ...names.map((forename) => ({ forename })));
  const dates = (component: string, ...texts: string[]) =>
    same(component, ...texts.map((dateOfBirth) => ({ dateOfBirth })));

  it('diacritics, composed, decomposed or left out', () => {
    forenames('Siân', 'Sia\u0302n', 'SIAN', 'sian');
    forenames('Łukasz', 'Lukasz');
    surnames('Müller', 'Mu\u0308ller', 'MULLER');
    surnames('Sørensen', 'Sorensen');
    surnames('Şahin', 'Sahin');
  });

  it('hyphens and spaces of double names, of any kind of dash', () => {
    surnames('Smith-Jones', 'Smith Jones', 'SMITH–JONES', 'Smith\u2011Jones', 'Smith - Jones');
    forenames('Anne-Marie', 'Anne‐Marie', 'ANNE–MARIE');
  });

  it('apostrophes straight, curly, as a grave, or left out', () => {
    surnames("O'Brien", 'O’Brien', 'O‘Brien', 'O`Brien', 'OʼBrien', 'O Brien', 'OBRIEN');
    forenames("D'Arcy", 'D’Arcy', 'DArcy');
  });

  it('Welsh names: ap and ferch as words or joined, and forename and surname in either order', () => {
    surnames('ap Rhys', 'Ap-Rhys', 'AP RHYS', 'apRhys');
    surnames('ferch Gruffydd', 'Ferch Gruffydd');
    forenames('Dafydd', 'David');
    same(
      'names-sorted',
      { forename: 'Owain', surname: 'Glyndŵr' },
      { forename: 'Glyndwr', surname: 'Owain' },
    );
  });

  it('South-Asian names: either order, and spellings of Mohammed', () => {
    for (const component of ['names-sorted', 'names-sorted-sound', 'names-sorted-2']) {
      same(
        component,
        { forename: 'Harpreet', surname: 'Kaur' },
        { forename: 'Kaur', surname: 'Harpreet' },
      );
    }
    forenames('Mohammed', 'Muhammad', 'Mohamad', 'Mohd', 'Md');
  });

  it('single names keep their name and make no key of two names', () => {
    for (const record of [{ forename: 'Sukarno' }, { surname: 'Sukarno' }]) {
      const person = standardise(record);
      expect([person.forename, person.surname]).toContain('sukarno');
      expect(componentOf('names-sorted', person)).toBe('');
    }
    expect(standardise({ forename: 'Sukarno', surname: 'Not Known' }).surname).toBe('');
  });

  it('29 February where there is one; elsewhere its digits without a date', () => {
    dates('date', '29/02/2000', '2000-02-29', '20000229');
    for (const text of ['29/02/1900', '2001-02-29']) {
      const person = standardise({ dateOfBirth: text });
      expect(componentOf('date', person)).toBe('');
      expect(componentOf('date-digits', person)).not.toBe('');
    }
  });

  it('day and month swapped', () => {
    dates('date-unordered', '03/04/1980', '04/03/1980', '1980-04-03');
    dates('date-digits', '03/04/1980', '04/03/1980');
    dates('date', '1980-05-13', '13/05/1980', '05/13/1980');
  });

  it('overseas postcodes as they are, missing and placeholder ones as missing', () => {
    same('postcode', { postcode: 'D02 X285' }, { postcode: 'd02x285' });
    same('postcode', { postcode: '75008' }, { postcode: ' 75008 ' });
    for (const postcode of ['', ' ', 'unknown', 'ZZ99 3VZ', 'NFA', 'no fixed abode', '-']) {
      const person = standardise({ postcode });
      expect([person.postcode, person.sector]).toEqual(['', '']);
    }
  });
});

describe('components', () => {
  const person = standardise({
    forename: 'Kate',
    surname: 'Smyth',
    dateOfBirth: '02/03/1980',
    houseNumber: '012',
    street: 'High St',
    postcode: 'BS1 4ST',
    idNumber: '9434765919',
  });
  const of = (record: PersonRecord, name: string) =>
    componentOf(name as (typeof COMPONENT_NAMES)[number], standardise(record));

  it('tolerate what they are made for', () => {
    expect(of({ forename: 'Harpreet', surname: 'Singh' }, 'names-sorted')).toBe(
      of({ forename: 'Singh', surname: 'Harpreet' }, 'names-sorted'),
    );
    expect(of({ surname: 'Smyth' }, 'surname-sound')).toBe(
      of({ surname: 'Smith' }, 'surname-sound'),
    );
    expect(of({ dateOfBirth: '02/03/1980' }, 'date-unordered')).toBe(
      of({ dateOfBirth: '03/02/1980' }, 'date-unordered'),
    );
    expect(of({ dateOfBirth: '1980-12-03' }, 'date-digits')).toBe(
      of({ dateOfBirth: '1908-12-03' }, 'date-digits'),
    );
    expect(componentOf('house', person)).toBe('12');
    expect(componentOf('street', person)).toBe('highstreet');
    expect(componentOf('sector', person)).toBe('bs14');
  });

  it('are missing where the record is: a single name makes no pair, an empty record no key', () => {
    expect(of({ forename: 'Sukarno' }, 'names-sorted')).toBe('');
    for (const name of COMPONENT_NAMES) {
      expect(componentOf(name, standardise({}))).toBe('');
      expect(
        matchKeyInput(matchKey([name]), standardise({}), { project: 'p', epoch: 'e' }),
      ).toBeNull();
    }
  });
});

describe('match keys', () => {
  const people = [
    standardise({ forename: 'ab', surname: 'c', dateOfBirth: '1980-01-02' }),
    standardise({ forename: 'a', surname: 'bc', dateOfBirth: '1980-01-02' }),
  ];
  const hex = (ids: string[], row: number, project = 'p', epoch = 'e') =>
    Buffer.from(
      matchKeyInput(matchKey(ids), people[row] as (typeof people)[0], {
        project,
        epoch,
      }) as Uint8Array,
    ).toString('hex');

  it('bind project, epoch, key and the borders between fields', () => {
    const all = [
      hex(['forename', 'surname'], 0),
      hex(['forename', 'surname'], 1),
      hex(['surname', 'forename'], 0),
      hex(['forename', 'surname'], 0, 'q'),
      hex(['forename', 'surname'], 0, 'p', 'f'),
      hex(['forename', 'surname'], 0, 'pe', ''),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(Buffer.from(all[0] as string, 'hex').toString('latin1')).toContain('mk/v1');
  });

  it('refuse a field that no OPRF input can hold', () => {
    const person = standardise({ surname: 'ab'.repeat(40_000), dateOfBirth: '1980-01-02' });
    expect(() =>
      matchKeyInput(matchKey(['surname', 'date']), person, { project: 'p', epoch: 'e' }),
    ).toThrow(expect.objectContaining({ code: 'input-too-long' }));
  });

  it('read back what they write and refuse the rest', () => {
    const keys = [matchKey(['date', 'surname']), matchKey(['forename-2', 'postcode'])];
    expect(parseKeySet(JSON.parse(JSON.stringify(formatKeySet(keys))))).toEqual(keys);
    const document = formatKeySet(keys) as Record<string, unknown>;
    for (const [code, change] of [
      ['malformed-keys', { keys: [] }],
      ['malformed-keys', { keys: [['nose']] }],
      ['malformed-keys', { keys: [['date', 'date']] }],
      ['malformed-keys', { keys: [['date'], ['date']] }],
      ['malformed-keys', { more: 1 }],
      ['other-rules', { rules: 'std/v0' }],
    ] as const) {
      expect(() => parseKeySet({ ...document, ...change })).toThrow(
        expect.objectContaining({ code }),
      );
    }
  });
});

describe('entropy gate', () => {
  // 4,000 people: surname of 4 equally likely values (2 bits), postcode of 64 (6 bits) that decides the town of 8.
  const people = Array.from({ length: 4000 }, (_, i) =>
    standardise({
      surname: ['anders', 'brown', 'clark', 'davis'][i % 4] as string,
      postcode: `${1000 + (Math.floor(i / 4) % 64)}`,
      town: `town${'abcdefgh'.charAt(Math.floor(i / 4) % 8)}`,
    }),
  );
  const meter = new EntropyMeter(people);

  it('adds independent components and counts a dependent one once', () => {
    expect(meter.bits(['surname'])).toBeCloseTo(2, 1);
    expect(meter.bits(['surname', 'postcode'])).toBeCloseTo(8, 1);
    expect(meter.bits(['postcode', 'town'])).toBeCloseTo(6, 1);
    expect(meter.bits(['town', 'postcode'])).toBeCloseTo(6, 1);
    expect(meter.measuredBits(['surname', 'postcode', 'town'])).toBeCloseTo(8, 0);
  });

  it('refuses a key below the gate, by name', () => {
    expect(() => checkEntropy([matchKey(['surname', 'postcode'])], people)).toThrow(
      expect.objectContaining({
        code: 'low-entropy-key',
        message: expect.stringContaining('surname+postcode'),
      }),
    );
    checkEntropy([matchKey(['surname', 'postcode'])], people, 7);
  });
});

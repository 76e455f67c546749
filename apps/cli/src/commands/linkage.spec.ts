import { appendFileSync, mkdtempSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import fc from 'fast-check';
import { registerLinkage } from './linkage.js';

const folder = mkdtempSync(join(tmpdir(), 'concordat-linkage-'));
const path = (name: string) => join(folder, name);
const febrl = new URL('../../../../libs/linkage/vectors/febrl-dataset1.csv', import.meta.url);
const [header = '', ...rows] = readFileSync(febrl, 'utf8').trim().split('\n');
const few = rows.filter((row) => Number(/rec-(\d+)/.exec(row)?.[1]) < 40);
const file = (name: string, lines: readonly string[]) => {
  writeFileSync(path(name), [header, ...lines].join('\n'));
  return path(name);
};
const left = file(
  'left.csv',
  few.filter((row) => row.includes('-org')),
);
const right = file(
  'right.csv',
  few.filter((row) => row.includes('-dup')),
);
const keys = path('two-keys.json');
writeFileSync(
  keys,
  JSON.stringify({
    format: 'concordat/match-keys/v1',
    rules: 'std/v1',
    keys: [
      ['names-sorted-2', 'date', 'region'],
      ['id-number', 'surname-2'],
    ],
  }),
);

/** Runs the command and gives its one JSON document. */
async function concordat(...args: string[]): Promise<Record<string, unknown>> {
  const program = new Command().exitOverride();
  registerLinkage(program);
  const written: string[] = [];
  const write = process.stdout.write;
  process.stdout.write = ((text: string) => written.push(text) > 0) as typeof write;
  try {
    await program.parseAsync(['linkage', ...args, '--json'], { from: 'user' });
  } finally {
    process.stdout.write = write;
  }
  expect(written).toHaveLength(1);
  return JSON.parse(written[0] as string);
}
const evaluate = (...args: string[]) =>
  concordat('evaluate', '--left', left, '--right', right, '--id', 'rec_id', ...args);

const written = (name: string, content: string | Uint8Array) => {
  writeFileSync(path(name), content);
  return path(name);
};
const bytesOnly = written(
  'bytes.csv',
  Uint8Array.from({ length: 3000 }, (_, i) => (i * 131) & 255),
);
const headerOnly = written('header.csv', `${header}\n`);
const noPeople = written('no-people.csv', 'rec_id,colour\nrec-1,red\n');
const endless = written(
  'endless.csv',
  `rec_id,surname,date_of_birth\nrec-1,${'ab'.repeat(40_000)},19800102\n`,
);
const latin1 = written(
  'latin1.csv',
  Buffer.from(`${header}\nrec-1-org, Zo\xeb, M\xfcller, , , , , , , , \n`, 'latin1'),
);
const utf16 = written('utf16.csv', Buffer.from(`\ufeff${header}\n${few[0]}\n`, 'utf16le'));
const twoIds = written('two-ids.csv', 'rec_id,REC ID,surname,dob\n1,2,smith,19800203\n');
const noKeys = written(
  'no-keys.json',
  '{"format":"concordat/match-keys/v1","rules":"std/v1","keys":[]}',
);
const unknownComponent = written(
  'unknown-component.json',
  '{"format":"concordat/match-keys/v1","rules":"std/v1","keys":[["date","nose"]]}',
);
const surnameKeys = written(
  'surname-keys.json',
  '{"format":"concordat/match-keys/v1","rules":"std/v1","keys":[["date","surname"]]}',
);
const otherRules = written(
  'other-rules.json',
  '{"format":"concordat/match-keys/v1","rules":"std/v9","keys":[["date","surname"]]}',
);

describe('concordat linkage evaluate', () => {
  it('gives the same pairs through the OPRF as in the clear, and takes an interrupted run up again', async () => {
    const plain = await evaluate('--keys', keys, '--plain');
    expect(plain).toEqual({
      keys: 2,
      pairs: expect.any(Number),
      precision: 1,
      recall: expect.any(Number),
      overlap: expect.objectContaining({ naive: expect.any(Number), truth: 40 }),
    });
    const checkpoint = path('run.ckpt');
    const args = ['--keys', keys, '--checkpoint', checkpoint];
    expect(await evaluate(...args)).toEqual(plain);
    const text = readFileSync(checkpoint, 'utf8');
    expect(text).not.toContain('lachlan');
    truncateSync(checkpoint, Math.floor(text.length * 0.6));
    expect(await evaluate(...args)).toEqual(plain);
    appendFileSync(checkpoint, 'rubbish\n{"column":"left/date","labels":7}\n');
    expect(await evaluate(...args)).toEqual(plain);
    await expect(
      evaluate('--keys', keys, '--checkpoint', checkpoint, '--without', 'soc_sec_id'),
    ).rejects.toMatchObject({
      code: 'other-checkpoint',
    });
  });

  it('gives the same answer through the OPRF as in the clear for any people', async () => {
    const cell = (...texts: string[]) => fc.constantFrom(...texts);
    const person = fc.record({
      id: fc.integer({ min: 1, max: 6 }),
      forename: cell('', 'Ann', 'anne', 'Siân', "D'Arcy", 'unknown', 'Harpreet', 'Bob', 'Robert'),
      surname: cell('', 'Smith', 'Smyth', 'Smith-Jones', 'ap Rhys', 'Kaur', '李'),
      date: cell('', '1980-02-29', '29/02/1981', '03/04/1980', '04/03/1980', 'never'),
      postcode: cell('', 'BS1 1AA', 'bs11aa', 'ZZ99 3VZ', '75008', 'D02 X285'),
    });
    const list = fc.array(person, { minLength: 1, maxLength: 8 });
    const table = (name: string, people: { id: number }[]) => {
      const lines = people.map(({ id, ...cells }) =>
        [`rec-${id}`, ...Object.values(cells)].map((text) => `"${text}"`).join(','),
      );
      writeFileSync(path(name), ['id,forename,surname,dob,postcode', ...lines].join('\n'));
      return path(name);
    };
    const anyKeys = path('any-keys.json');
    writeFileSync(
      anyKeys,
      JSON.stringify({
        format: 'concordat/match-keys/v1',
        rules: 'std/v1',
        keys: [
          ['forename', 'surname', 'date'],
          ['names-sorted-sound', 'date-unordered'],
          ['surname-sound', 'postcode'],
        ],
      }),
    );
    await fc.assert(
      fc.asyncProperty(list, list, async (a, b) => {
        const files = ['--left', table('a.csv', a), '--right', table('b.csv', b), '--id', 'id'];
        const args = ['evaluate', ...files, '--keys', anyKeys];
        expect(await concordat(...args)).toEqual(await concordat(...args, '--plain'));
      }),
      { numRuns: 6 },
    );
  });

  it('uses the shipped keys, with and without the identity number', async () => {
    expect(await evaluate('--plain')).toMatchObject({ keys: 24, precision: 1, recall: 1 });
    const without = await evaluate('--plain', '--without', 'soc_sec_id');
    expect(without).toMatchObject({ keys: 20, precision: 1 });
    expect(without.recall).toBeGreaterThanOrEqual(0.97);
    expect(await evaluate('--plain', '--household-safe')).toMatchObject({ keys: 16 });
  });

  it('reads a byte order mark, carriage returns, spaces behind commas and quoted commas', async () => {
    const text = [header, ...few.filter((row) => row.includes('-org'))].join('\n');
    const expected = await evaluate('--plain');
    const variants = {
      'mark.csv': `\ufeff${text}`,
      'returns.csv': text.replaceAll('\n', '\r\n'),
      'quoted.csv': text
        .split('\n')
        .map((line) => line.replaceAll(/, ([^,]*)/g, ', "$1"'))
        .join('\n'),
    };
    for (const [name, content] of Object.entries(variants)) {
      expect([name, await evaluate('--plain', '--left', written(name, content))]).toEqual([
        name,
        expected,
      ]);
    }
    const commas = written(
      'commas.csv',
      'rec_id, given_name, surname, address_1\nrec-1-org, Ann, "Smith, Jones", "1, High St"\n',
    );
    const names = path('names.json');
    writeFileSync(
      names,
      '{"format":"concordat/match-keys/v1","rules":"std/v1","keys":[["surname","street"]]}',
    );
    const plain = written(
      'no-commas.csv',
      'rec_id,surname,address_1\nrec-1,Smith-Jones,1 High St\n',
    );
    const sides = ['--left', commas, '--right', plain, '--keys', names];
    expect(await evaluate('--plain', ...sides)).toMatchObject({ pairs: 1, recall: 1 });
  });

  it('counts a person once who has several rows in a file, by the last of them', async () => {
    const of = (row: string, cells: readonly string[]) => [row.split(',')[0], ...cells].join(',');
    const strange = Array.from({ length: 10 }, () => ' zzyzx');
    const [lefts, rights] = ['-org', '-dup'].map((kind) => few.filter((row) => row.includes(kind)));
    const overlapWith = async (lines: readonly string[]) =>
      (await evaluate('--plain', '--right', file('several.csv', lines))).overlap;
    const once = await overlapWith(rights ?? []);
    expect(once).toMatchObject({ truth: 40 });
    const before = (rights ?? []).flatMap((row) => [of(row, strange), row]);
    expect(await overlapWith(before)).toEqual(once);
    // the same people under their original records first
    const both = (rights ?? []).flatMap((row) => {
      const id = row.split(',')[0]?.replace('-dup-0', '-org');
      return [lefts?.find((original) => original.startsWith(`${id},`)) ?? row, row];
    });
    expect(await overlapWith(both)).toEqual(once);
  });

  it('says null where there is nothing to divide by', async () => {
    const nobody = file('nobody.csv', []);
    writeFileSync(nobody, `${header}\nrec-99999-org, a, b, , , , , , , , \n`);
    expect(await evaluate('--right', nobody, '--plain')).toMatchObject({
      pairs: 0,
      precision: null,
      recall: null,
      overlap: { naive: 0, corrected: null, truth: 0 },
    });
  });

  it.each([
    ['unreadable-file', ['--left', path('none.csv')]],
    ['no-id-column', ['--id', 'nose']],
    ['unknown-field', ['--without', 'nose']],
    ['malformed-keys', ['--keys', left]],
    ['usage', ['--proofs', 'few']],
    ['usage', ['--keys', keys, '--household-safe']],
    ['no-keys', ['--keys', keys, '--without', 'soc_sec_id', 'surname']],
    ['unreadable-file', ['--right', folder]],
    ['not-utf8', ['--right', bytesOnly]],
    ['not-utf8', ['--right', latin1]],
    ['not-utf8', ['--right', utf16]],
    ['repeated-column', ['--right', twoIds]],
    ['no-id-column', ['--right', written('empty.csv', '')]],
    ['malformed-csv', ['--right', written('open-quote.csv', `${header}\nrec-1-org,"smith\n`)]],
    ['no-id-column', ['--right', headerOnly]],
    ['no-person-columns', ['--right', noPeople]],
    ['input-too-long', ['--right', endless, '--keys', surnameKeys]],
    ['malformed-keys', ['--keys', path('none.json')]],
    ['malformed-keys', ['--keys', noKeys]],
    ['malformed-keys', ['--keys', unknownComponent]],
    ['other-rules', ['--keys', otherRules]],
  ])('refuses with %s %#', async (code, args) => {
    await expect(evaluate('--plain', ...args)).rejects.toMatchObject({ code });
  });

  it('refuses a checkpoint that is none, or that cannot be written', async () => {
    for (const [code, checkpoint] of [
      ['other-checkpoint', written('rubbish.ckpt', '{"digest":1}\n')],
      ['unwritable-file', join(folder, 'no', 'such', 'folder.ckpt')],
      ['unwritable-file', folder],
    ] as const) {
      await expect(evaluate('--keys', keys, '--checkpoint', checkpoint)).rejects.toMatchObject({
        code,
      });
    }
  });

  it('refuses a CSV whose rows are not of one length, repeating no value', async () => {
    const broken = file('broken.csv', ['rec-1-org, secretname']);
    await expect(evaluate('--left', broken)).rejects.toMatchObject({
      code: 'malformed-csv',
      message: expect.not.stringContaining('secretname'),
    });
  });
});

describe('concordat linkage learn', () => {
  it('writes a key set that evaluate reads', async () => {
    const out = path('learned.json');
    const train = file('train.csv', rows.slice(0, 600));
    const learned = await concordat(
      ...[
        'learn',
        '--train',
        train,
        '--max-keys',
        '5',
        '--min-bits',
        '24',
        '--without',
        'soc_sec_id',
        '--out',
        out,
      ],
    );
    const table = learned.keys as { key: string; bits: number; covered: number }[];
    expect(table.length).toBeLessThanOrEqual(5);
    for (const { bits } of table) expect(bits).toBeGreaterThanOrEqual(24);
    expect(await evaluate('--keys', out, '--plain')).toMatchObject({
      keys: table.length,
      precision: 1,
    });
  });

  it.each([
    ['usage', ['--max-keys', '0']],
    ['usage', ['--max-keys', '1e1']],
    ['usage', ['--min-bits', 'many']],
    ['no-labelled-pairs', []],
    ['unknown-field', ['--without', 'nose']],
    ['unknown-field', ['--reading', 'nose']],
    ['unreadable-file', ['--train', path('none.csv')]],
    ['no-person-columns', ['--train', noPeople]],
    ['no-id-column', ['--id', 'nose']],
  ])('refuses with %s %#', async (code, args) => {
    const out = path('none.json');
    await expect(concordat('learn', '--train', left, '--out', out, ...args)).rejects.toMatchObject({
      code,
    });
  });
});

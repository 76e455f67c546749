import { readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { openJournal } from './index.js';
import { entryList, entryOf, newDir, options, rootOf } from './sample-log.fixture-spec.js';

describe('recovery of a journal', () => {
  /** A log of 60 entries of which the first `signed` stand under a checkpoint; returns the offsets of its records. */
  const logOf60 = async (signed: number) => {
    const dir = await newDir();
    const journal = await openJournal(options(dir));
    const offsets: number[] = [];
    for (let i = 0; i < 60; i++) {
      offsets.push((await stat(join(dir, 'entries.rec'))).size);
      await journal.append(entryOf(i));
      if (i + 1 === signed) await journal.checkpoint();
    }
    await journal.close();
    const bytes = await readFile(join(dir, 'entries.rec'));
    return { dir, bytes, offsets };
  };

  it('cuts the log at every byte of its last 40 records: whole entries stay, signed ones come back', async () => {
    const { dir, bytes, offsets } = await logOf60(30);
    const path = join(dir, 'entries.rec');
    for (let cut = offsets[20] ?? 0; cut <= bytes.length; cut++) {
      await writeFile(path, bytes);
      await truncate(path, cut);
      const whole = [...offsets.slice(1), bytes.length].filter((end) => end <= cut).length;
      const journal = await openJournal(options(dir));
      const size = Math.max(whole, 30);
      expect(journal.size).toBe(BigInt(size));
      expect(journal.root()).toEqual(rootOf(size));
      expect(journal.recovered).toEqual({
        tornBytes: cut - (offsets[whole] ?? bytes.length),
        restoredEntries: size - whole,
        unsignedEntries: size - 30,
      });
      await journal.close();
    }
  });

  it('goes on after a cut', async () => {
    const { dir, offsets } = await logOf60(10);
    await truncate(join(dir, 'entries.rec'), (offsets[50] ?? 0) + 5);
    const journal = await openJournal(options(dir));
    await journal.appendAll(entryList(300, 50));
    await journal.checkpoint();
    expect(journal.root()).toEqual(rootOf(350));
    await journal.close();
  });

  it('refuses damage that no crash makes', async () => {
    const { dir, bytes, offsets } = await logOf60(30);
    const path = join(dir, 'entries.rec');
    for (const at of [offsets[5] ?? 0, (offsets[40] ?? 0) + 12, (offsets[58] ?? 0) + 7]) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 4;
      await writeFile(path, damaged);
      await expect(openJournal(options(dir))).rejects.toMatchObject({ code: 'log-corrupt' });
    }
    // whole records, but not those that were signed
    await writeFile(
      path,
      Buffer.concat([bytes.subarray(offsets[1]), bytes.subarray(0, offsets[1])]),
    );
    await expect(openJournal(options(dir))).rejects.toMatchObject({ code: 'log-corrupt' });
    // signed entries are gone, and the bundles too
    await writeFile(path, bytes.subarray(0, offsets[20]));
    await rm(join(dir, 'tile'), { recursive: true });
    await expect(openJournal(options(dir))).rejects.toMatchObject({ code: 'log-corrupt' });
    await writeFile(path, bytes);
    await (await openJournal(options(dir))).close();
  });

  it('tells a torn batch from damage in logs of several megabytes', async () => {
    const dir = await newDir();
    const path = join(dir, 'entries.rec');
    const large = 'x'.repeat(60 * 1024);
    const first = await openJournal(options(dir));
    await first.appendAll(Array<string>(40).fill(large));
    await first.close();
    const frame = 60 * 1024 + 8;
    // one batch, so that what remains of it may be a crash's
    const batch = await readFile(path);
    batch.fill(0, 3 * frame + 100, 3 * frame + 200);
    await writeFile(path, batch);
    const torn = await openJournal(options(dir));
    expect([torn.size, torn.recovered.tornBytes]).toEqual([3n, 37 * frame]);
    await torn.appendAll(Array<string>(37).fill(large));
    await torn.append('the batch behind');
    await torn.close();
    const whole = await readFile(path);
    whole.fill(0, 3 * frame + 100, 3 * frame + 200);
    await writeFile(path, whole);
    await expect(openJournal(options(dir))).rejects.toMatchObject({ code: 'log-corrupt' });
    expect((await readFile(path)).equals(whole)).toBe(true);
  });

  it('publishes the signed checkpoint a crash kept back, and never an older one', async () => {
    const { dir } = await logOf60(30);
    const path = join(dir, 'checkpoint');
    const note = await readFile(path, 'utf8');
    for (const published of [undefined, 'rubbish', note.replace('30', '31').slice(0, 9)]) {
      if (published === undefined) await rm(path);
      else await writeFile(path, published);
      await (await openJournal(options(dir))).close();
      expect(await readFile(path, 'utf8')).toBe(note);
    }
    await truncate(join(dir, 'checkpoints.rec'), 50);
    await expect(openJournal(options(dir))).rejects.toMatchObject({ code: 'log-corrupt' });
  });
});

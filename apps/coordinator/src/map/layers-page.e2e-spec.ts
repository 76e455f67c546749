/** Statistics on the map, in Chromium, over a whole federation: computed by its coordinator, drawn, listed, read, exported. */
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cellToText, parentOf } from '#libs/grid';
import { eventually } from '#libs/testing';
import {
  accessible,
  addressed,
  fits,
  focused,
  openPage,
  reads,
  settled,
  shot,
  shotPath,
} from './browser.fixture-spec.js';
import {
  AT,
  bristol,
  finding,
  key,
  StatisticsSite,
  saved,
} from './statistics-site.fixture-spec.js';

let site: StatisticsSite;
beforeAll(async () => {
  site = await StatisticsSite.open();
});
afterAll(() => site?.close());
const open = (fragment: string, options = {}) => site.page(fragment, options);
const releases = () => site.releases();

describe('a statistic on the map', () => {
  it('has key, table twin, method and hashes, and no violation, each of the five in turn', async () => {
    const { page, foreign, complaints } = await open(AT);
    for (const [name, id, note] of [
      ['Hot spots', 'hotspots', /false finds/],
      ['Likely among the highest', 'top', /highest 1 %/],
      ['Emerging', 'emerging', /at least 80 % of 50 worlds with fresh noise/],
      ['Rising and falling', 'trend', /Mann-Kendall/],
      ['Early warnings', 'warnings', /0\.3 % of unchanged hexagons/],
    ] as const) {
      await page.getByRole('radio', { name }).check();
      await reads(key(page), note);
      await finding(page).waitFor();
      await settled(page);
      await addressed(page, new RegExp(`show=${id}`));
      await reads(finding(page), /^\d+ hexagons? found|^Nothing found/);
      await reads(key(page), 'Counted, nothing found');
      await reads(key(page), 'No agency covers this');
      await reads(key(page), 'in each of 2 releases');
      const method = page.locator('.method');
      await method.getByText('Method, uncertainty, limits').click();
      for (const { id: release } of await releases()) await reads(method, release);
      await reads(method, 'concordat analyse');
      await accessible(page);
      await method.getByText('Method, uncertainty, limits').click();
      await shot(page, `statistic-${id}`);
    }
    expect([foreign, complaints]).toEqual([[], []]);
    await page.close();
  });

  it('lists and reads the cells it draws', async () => {
    const { page } = await open(`show=hotspots&resolution=9&${AT}`);
    await finding(page).waitFor();
    const table = page.getByRole('table', { name: /^Hot spots: \d+ of \d+ in view/ });
    await table.waitFor();
    const hot = cellToText(bristol);
    const row = table.getByRole('button', {
      name: new RegExp(` ${hot.replace(/f+$/, '').slice(-4)}$`),
    });
    await row.click();
    const inspector = page.getByRole('region', { name: 'Chosen hexagon' });
    await reads(
      inspector,
      /Hot spot ?About [\d,]+ \(likely [\d,]+ to [\d,]+\) in 12 periods, \d+ times the average/,
    );
    // Every month of both releases, with its range.
    await inspector.getByText('As a table').click();
    await eventually(async () => {
      const history = await inspector.getByRole('row').allTextContents();
      expect(history).toHaveLength(12);
      expect(history[0]).toMatch(/^January 2023(?:About|Cannot)/);
    });
    await addressed(page, new RegExp(`cell=${hot}`));
    await page.locator('.maplibregl-popup').getByText('Hot spot').waitFor();
    await shot(page, 'statistic-reading');
    await page.close();
  });

  it('is saved as CSV, GeoJSON and picture, each with its provenance', async () => {
    const { page } = await open(`show=hotspots&resolution=9&${AT}`);
    await page.getByRole('table', { name: /^Hot spots/ }).waitFor();
    await settled(page);
    const save = (name: string): Promise<Buffer> =>
      saved(page, page.getByRole('button', { name, exact: true }));
    const known = await releases();
    const csv = (await save('CSV')).toString();
    for (const { id, fingerprint } of known) {
      expect(csv).toContain(`# releases: ${id}\r\n`);
      expect(csv).toContain(`# queries: ${fingerprint}\r\n`);
    }
    expect(csv).toMatch(/# epsilon_per_release: \d/);
    const lines = csv.trimEnd().split('\r\n');
    const head = lines.findIndex((line) => !line.startsWith('#'));
    expect(lines[head]).toBe('cell,hot,sum,periods,p,z,clusterP,probabilityTop');
    expect(lines.slice(head + 1).map((line) => line.split(',')[0])).toContain(cellToText(bristol));
    const json = JSON.parse((await save('GeoJSON')).toString());
    expect(json.features).toHaveLength(lines.length - head - 1);
    expect(json.provenance.releases).toEqual(expect.arrayContaining(known.map(({ id }) => id)));
    expect(json.features[0].geometry.coordinates[0][0]).toEqual(
      json.features[0].geometry.coordinates[0].at(-1),
    );
    const png = await save('Picture');
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    // Wider than the map alone, which is the window less the panel: the key is in it.
    expect(png.readUInt32BE(16)).toBeGreaterThan(1280 - 392);
    writeFileSync(shotPath('saved'), png);
    await page.close();
  });

  it('says what to do when it cannot be computed', async () => {
    const { page } = await open(`show=trend&period=2023-02&${AT}`);
    const alert = page.getByRole('alert', { name: 'Not computed' });
    await alert.waitFor();
    await reads(alert, /A trend needs at least four periods.*too-few-periods/);
    await alert.getByRole('button', { name: 'Try again' }).click();
    await alert.waitFor();
    await accessible(page);
    await page.close();
  });

  it('is tried again with the counts below it, when the coordinator was away', async () => {
    const { page } = await open(`show=hotspots&${AT}`);
    await finding(page).waitFor();
    for (const place of ['**/v1/grid/**', '**/graphql']) await page.route(place, (r) => r.abort());
    await page.getByRole('combobox', { name: 'Category' }).selectOption('drugs');
    const alert = page.getByRole('alert', { name: 'Not computed' });
    const counts = page.getByText('This part of the map did not load');
    await reads(alert, /The coordinator does not answer.*unreachable/);
    await counts.waitFor();
    await page.unrouteAll();
    await alert.getByRole('button', { name: 'Try again' }).click();
    await finding(page).waitFor();
    await counts.waitFor({ state: 'detached' });
    await page.close();
  });
});

describe('time', () => {
  it('steps through both releases by keyboard and buttons, and says where it is', async () => {
    const { page, complaints } = await open(AT);
    await key(page).getByText('Fairly certain').waitFor();
    const slider = page.getByRole('slider', { name: 'Month' });
    await slider.focus();
    await page.keyboard.press('Home');
    await page
      .getByRole('slider', { name: 'Month' })
      .and(page.locator('[aria-valuetext="January 2023"]'))
      .waitFor();
    await key(page).getByText('January 2023').waitFor();
    const [, early] = await releases();
    await key(page)
      .getByText(String(early?.id.slice(0, 16)))
      .waitFor();
    await page.keyboard.press('End');
    await key(page).getByText('December 2023').waitFor();
    const [newer] = await releases();
    await key(page)
      .getByText(String(newer?.id.slice(0, 16)))
      .waitFor();
    await page.getByRole('button', { name: 'Earlier' }).click();
    await key(page).getByText('November 2023').waitFor();
    await addressed(page, /period=2023-11/);
    await reads(page.getByRole('region', { name: 'Time' }).getByRole('status'), /^November 2023$/);
    await settled(page);
    await shot(page, 'month');
    await page.getByRole('button', { name: 'All months' }).click();
    await key(page).getByText('July 2023 to December 2023').waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });
});

describe('for everybody', () => {
  it('works by keyboard alone, from the choice of a statistic to one of its cells', async () => {
    const { page } = await open(AT);
    await page.getByRole('radio', { name: 'Counts' }).waitFor();
    await page.getByRole('radio', { name: 'Counts' }).focus();
    await page.keyboard.press('ArrowRight');
    await page.getByRole('table', { name: /^Hot spots/ }).waitFor();
    await page.getByRole('button', { name: 'Skip to the table' }).focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await focused(page, /^Place$/);
    for (let i = 0; i < 3; i++) await page.keyboard.press('Tab');
    await focused(page, / [0-9a-f]{4}$/);
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'Chosen hexagon' }).waitFor();
    await reads(page.locator('main > p[role=status]'), 'Hot spot');
    await page.getByRole('button', { name: 'Close the chosen hexagon' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'Chosen hexagon' }).waitFor({ state: 'detached' });
    await page.close();
  });

  it.each([
    ['dark', { colorScheme: 'dark', viewport: { width: 1280, height: 780 } }],
    ['phone', { viewport: { width: 390, height: 844 } }],
  ] as const)('is without a violation: %s', async (look, options) => {
    const at = cellToText(parentOf(bristol, 8));
    for (const fragment of [
      `cell=${cellToText(bristol)}&${AT}`,
      `show=hotspots&cell=${at}&${AT}`,
    ]) {
      const { page, complaints } = await open(fragment, options);
      await page.getByRole('region', { name: 'Chosen hexagon' }).waitFor();
      await settled(page);
      await accessible(page);
      await fits(page, options.viewport.width);
      const path = shotPath(`${look}-${fragment.startsWith('show') ? 'statistic' : 'counts'}`);
      await page.screenshot({ path, fullPage: true });
      for (const report of fragment.startsWith('show')
        ? ['Concentration', 'Evaluation', 'Plan']
        : []) {
        await page.getByRole('radio', { name: report }).check();
        await page
          .getByRole('region', { name: report, exact: true })
          .or(page.getByRole('heading', { name: 'Did it work?' }))
          .waitFor();
        await settled(page);
        await accessible(page);
        await fits(page, options.viewport.width);
        await page.screenshot({
          path: shotPath(`${look}-${report.toLowerCase()}`),
          fullPage: true,
        });
      }
      expect(complaints).toEqual([]);
      await page.close();
    }
  });
});

describe('GraphiQL', () => {
  it('opens with queries that run on this coordinator as they stand, from files of this origin alone', async () => {
    const { page, foreign, complaints } = await openPage(
      site.browser,
      site.federation.url,
      '/graphiql.html',
    );
    const answer = page.locator('.graphiql-response');
    const run = page.getByRole('button', { name: /Execute query/ });
    const [newest] = await releases();
    for (const [tab, answered] of [
      ['Releases', `"id": "${newest?.id}"`],
      ['HighestCells', '"totalCount"'],
      ['HotSpots', '"status": "done"'],
      ['Concentration', '"status": "done"'],
    ] as const) {
      await page.locator('.graphiql-tab').getByRole('button', { name: tab, exact: true }).click();
      await reads(page.locator('.graphiql-query-editor'), `query ${tab}`);
      await run.click();
      await reads(answer, answered);
    }
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
    await page.locator('.graphiql-doc-explorer').getByText('Query', { exact: true }).click();
    await page.getByText('How concentrated is crime?').waitFor();
    await shot(page, 'graphiql');
    expect([foreign, complaints]).toEqual([[], []]);
    await page.close();
  });
});

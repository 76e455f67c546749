import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Browser } from 'playwright-core';
import { cellToText } from '#libs/grid';
import { eventually } from '#libs/testing';
import {
  addressed,
  fits,
  focused,
  launchChromium,
  openPage,
  reads,
  settled,
  shot,
  shotPath,
} from './browser.fixture-spec.js';
import {
  bristol,
  domain,
  header,
  SyntheticReleases,
  serve,
} from './synthetic-release.fixture-spec.js';

const reader = new SyntheticReleases();
let app: NestFastifyApplication;
let origin: string;
let browser: Browser;

beforeAll(async () => {
  app = await serve(reader);
  origin = await app.getUrl();
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await app?.close();
});

const open = (path: string) => openPage(browser, origin, path);

describe('the map page', () => {
  it('shows hexagons, key, reading and table, and asks no other host for anything', async () => {
    reader.published = [header];
    const at = '#layer=all&period=all&map=11.80/51.45450/-2.58790';
    const { page, foreign, complaints } = await open(`/${at}`);
    const key = page.getByRole('region', { name: 'Key', exact: true });
    await key.getByText('Fairly certain').waitFor();
    await settled(page);

    for (const part of [
      'All 3 categories',
      'January 2024 to February 2024',
      'Cannot be told from zero',
      'No agency covers this',
      'ε 2.76, δ 1e-6 per incident',
      '3 June 2024',
      header.id,
      `${domain.name} ${domain.hash.slice(0, 8)}`,
      'Missing agenciesKent Police',
    ]) {
      await reads(key, part);
    }
    await reads(
      page.getByRole('region', { name: 'Total' }),
      /^About [\d,]+ \(likely [\d,]+ to [\d,]+\)/,
    );
    await reads(page.locator('footer'), 'Open Government Licence v3.0');
    await shot(page, 'city');

    // The map's centre is that of the part which the key leaves free.
    const canvas = await page.locator('canvas').boundingBox();
    if (!canvas) throw new Error('no canvas');
    const centre = [canvas.x + (canvas.width - 352) / 2, canvas.y + canvas.height / 2] as const;
    await page.mouse.click(...centre);
    const popup = page.locator('.maplibregl-popup');
    await popup.waitFor();
    await reads(popup.locator('.popup-place'), /^Bristol, City of$/);
    await reads(popup.locator('.popup-count'), /^About [\d,]+ \(likely [\d,]+ to [\d,]+\)$/);
    await addressed(page, new RegExp(`cell=${cellToText(bristol)}`));
    await shot(page, 'reading');

    // Far from both cities, inside Wales.
    await page.goto(`${origin}/#layer=asb&period=2024-01&map=9.00/52.20000/-3.40000`);
    await page.getByRole('region', { name: 'Key', exact: true }).getByText('Anti-social').waitFor();
    await popup.waitFor({ state: 'detached' });
    await page.mouse.click(...centre);
    await popup.getByText('No agency covers this place').waitFor();
    expect([foreign, complaints]).toEqual([[], []]);
    await page.close();
  });

  it('works by keyboard alone', async () => {
    reader.published = [header];
    const { page } = await open('/#map=11.80/51.45450/-2.58790');
    await page.getByRole('table').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await focused(page, /^Place$/);
    await page.keyboard.press('Enter');
    await page.locator('th[aria-sort=ascending]', { hasText: 'Place' }).waitFor();
    for (let i = 0; i < 3; i++) await page.keyboard.press('Tab');
    await focused(page, /^Bristol, City of [0-9a-f]{4}$/);
    await page.keyboard.press('Enter');
    await page.locator('.maplibregl-popup').waitFor();
    await reads(page.locator('main > p[role=status]'), /^Bristol, City of: About/);
    await eventually(async () => expect(await page.locator('tr.selected').count()).toBe(1));

    await page.locator('canvas').focus();
    await page.keyboard.press('Escape');
    await page.locator('.maplibregl-popup').waitFor({ state: 'detached' });
    await page.keyboard.press('Enter');
    await page.locator('.maplibregl-popup').waitFor();
    await page.close();
  });

  it('shows the nation, and changes layer without losing the view', async () => {
    reader.published = [header];
    const { page, complaints } = await open('/');
    await page.getByLabel('Category').selectOption('violence');
    await page.getByRole('region', { name: 'Key', exact: true }).getByText('Violence').waitFor();
    await settled(page);
    await addressed(page, /#layer=violence&period=all&map=5\.60\/52\.7/);
    await shot(page, 'nation');
    await page.getByLabel('Go to local authority').fill('City of London');
    await page.keyboard.press('Enter');
    await page
      .getByRole('button', { name: /^City of London/ })
      .first()
      .waitFor();
    await settled(page);
    await addressed(page, /map=1[0-2]/);
    await shot(page, 'london');
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('teaches while there is no release, and shows the first one by itself', async () => {
    reader.published = [];
    const { page, complaints } = await open('/');
    await page.getByRole('heading', { name: 'No release yet' }).waitFor();
    await settled(page);
    await shot(page, 'empty');
    reader.published = [header];
    await page.getByRole('table').waitFor();
    await page.setViewportSize({ width: 360, height: 800 });
    await settled(page);
    await fits(page, 360);
    await page.screenshot({ path: shotPath('narrow'), fullPage: true });
    expect(complaints).toEqual([]);
    await page.close();
  });
});

describe('what cannot be shown', () => {
  it('is said when a link names a release that is not here', async () => {
    reader.published = [header];
    const { page } = await open(`/#release=${'f'.repeat(64)}`);
    const said = page.getByText('The release that this link names is not published here.');
    await said.waitFor();
    await page.getByRole('table').waitFor();
    await page
      .getByRole('region', { name: 'Key', exact: true })
      .getByText(header.id)
      .first()
      .waitFor();
    await page.close();
  });

  it('is said in words of the page when there is no connection, and asked for again', async () => {
    reader.published = [header];
    const { page } = await open('/#layer=all&period=all&map=11.80/51.45450/-2.58790');
    await page.getByRole('table').waitFor();
    await settled(page);
    await page.context().setOffline(true);
    const category = page.getByLabel('Category');
    await category.selectOption({ index: 1 });
    const alert = page.getByRole('alert');
    await alert.getByText('no connection').waitFor();
    await page.context().setOffline(false);
    await category.selectOption({ index: 2 });
    await alert.waitFor({ state: 'detached' });
    await page.close();
  });
});

/** What the specs of the statistics pages share: a federation of one force with a year of made-up incidents, and Chromium over its map page. */
import { readFileSync } from 'node:fs';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { cellAt, disk, domainFromCells, sortedCells } from '#libs/grid';
import { monthsOf } from '#libs/query';
import { Federation, streetFile } from '#libs/testing';
import { launchChromium, openPage, type WatchedPage } from './browser.fixture-spec.js';

export const bristol = cellAt(51.4545, -2.5879, 9);
const cells = sortedCells(disk(bristol, 24));
const months = monthsOf('2023-01/2023-12');
/** Fewer with the distance from the middle; one place that only begins in September. */
export const late = disk(cellAt(51.47, -2.56, 9), 1);
/** Places of seven hexagons that touch neither each other nor the late one. */
export const places: bigint[][] = [];
for (const cell of disk(bristol, 20)) {
  const place = [...disk(cell, 1)];
  const taken = [late, ...places].some((other) => place.some((one) => other.includes(one)));
  if (!taken && places.length < 22) places.push(place);
}
const rings = Array.from({ length: 7 }, (_, k) => new Set(disk(bristol, k)));
const centre = cells.indexOf(bristol);
const rows = months.flatMap((month, t) =>
  [...cells].flatMap((cell, i) => {
    const ring = rings.findIndex((set) => set.has(cell));
    const base = ring < 0 ? ((i * 7 + t) % 19 === 0 ? 1 : 0) : 14 - 2 * ring;
    const count = base + (t >= 8 && late.includes(cell) ? 12 : 0);
    return Array.from({ length: count }, () => ({
      month,
      type: (i - centre) % 3 === 1 ? 'Drugs' : 'Robbery',
      cell,
    }));
  }),
);

/** The middle of the map, and what is shown of it. */
export const AT = 'layer=robbery&map=12.30/51.45450/-2.58790';

export interface Published {
  readonly id: string;
  readonly fingerprint: string;
}

/** A coordinator that has released two halves of the year, which the page reads as one series. */
export class StatisticsSite {
  private constructor(
    readonly federation: Federation,
    readonly browser: Browser,
  ) {}

  static async open(): Promise<StatisticsSite> {
    const federation = await Federation.open({
      agencies: [
        {
          id: 'alpha-police',
          domain: domainFromCells('test/alpha', cells),
          files: { 'street.csv': streetFile(rows) },
        },
      ],
      limits: { rhoPerQuery: '4', rhoPerYear: '60' },
    });
    try {
      for (const periods of [months.slice(0, 6), months.slice(6)]) {
        await federation.ask({ categories: ['drugs', 'robbery'], periods, rho: '4' });
      }
      return new StatisticsSite(federation, await launchChromium());
    } catch (error) {
      await federation.close();
      throw error;
    }
  }

  /** The map page at what a link says behind its #. */
  page(fragment: string, options: BrowserContextOptions = {}): Promise<WatchedPage> {
    return openPage(this.browser, this.federation.url, `/#${fragment}`, options);
  }

  /** Newest first. */
  async releases(): Promise<readonly Published[]> {
    const response = await fetch(new URL('/v1/releases', this.federation.url));
    return (await response.json()) as Published[];
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.federation.close();
  }
}

export const key = (page: Page): Locator => page.getByRole('region', { name: 'Key', exact: true });
export const finding = (page: Page): Locator => page.getByRole('region', { name: 'Finding' });

/** The file that a click brings. */
export async function saved(page: Page, button: Locator): Promise<Buffer> {
  const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
  return readFileSync(await download.path());
}

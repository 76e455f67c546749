/** Chromium for the specs of the pages (the name keeps it out of the build and out of Jest's list). */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { expect } from '@jest/globals';
import type { AxeResults } from 'axe-core';
import {
  type Browser,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from 'playwright-core';
import { eventually } from '#libs/testing';

const CHROMIUM = '/usr/bin/chromium';
/** For a machine on which a page takes minutes to draw. */
const WITHIN_MS = 120_000;
/** What Chromium says of software rendering, when it takes a picture. */
const OF_THE_RENDERER = /GPU stall due to ReadPixels/;
const shots = new URL('../../../../.cache/screenshots/', import.meta.url);

/** Chromium with software rendering, and nothing of its own that would ask another host. */
export async function launchChromium(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) throw new Error('install Chromium: apt-get install chromium');
  mkdirSync(shots, { recursive: true });
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--use-gl=angle',
      '--use-angle=swiftshader',
      '--enable-unsafe-swiftshader',
    ],
  });
}

/** A page, all that it asked other hosts for, and all that it complained about. */
export interface WatchedPage {
  readonly page: Page;
  readonly foreign: string[];
  readonly complaints: string[];
}

export async function openPage(
  browser: Browser,
  origin: string,
  path: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 780 }, ...options });
  page.setDefaultTimeout(WITHIN_MS);
  const foreign: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !/^(?:blob|data):/.test(url)) foreign.push(url);
  });
  page.on('console', (message) => {
    const text = message.text();
    if (['error', 'warning'].includes(message.type()) && !OF_THE_RENDERER.test(text))
      complaints.push(text);
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(new URL(path, origin).href);
  return { page, foreign, complaints };
}

export const shotPath = (name: string): string => fileURLToPath(new URL(`${name}.png`, shots));
export const shot = (page: Page, name: string) => page.screenshot({ path: shotPath(name) });

/** Waits until the map has drawn what it was given: for pictures, which show whatever there is. */
export async function settled(page: Page): Promise<void> {
  // two frames, in which the page hands the map what it was told
  await page.evaluate(
    'new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))',
  );
  await page.locator('.map[aria-busy=false]').waitFor();
}

/** Waits until a place of the page reads so. */
export const reads = (place: Locator, text: string | RegExp): Promise<void> =>
  eventually(async () => {
    const found = await place.textContent();
    if (typeof text === 'string') expect(found).toContain(text);
    else expect(found).toMatch(text);
  });

/** Waits until the address of the page, which follows what is shown, is like this. */
export const addressed = (page: Page, like: RegExp): Promise<void> =>
  eventually(() => expect(page.url()).toMatch(like));

/** Waits until what has the focus reads so, without the arrows of sorted columns. */
export const focused = (page: Page, text: RegExp): Promise<void> =>
  eventually(async () =>
    expect(
      await page.evaluate('document.activeElement.textContent.replace(/[▲▼]/g, "").trim()'),
    ).toMatch(text),
  );

/** Waits until the page is as wide as its window: it reflows instead of scrolling sideways (WCAG 2.2, 1.4.10). */
export const fits = (page: Page, width: number): Promise<void> =>
  eventually(async () =>
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width),
  );

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Waits until the page, which may still be drawing, is without a violation. */
export const accessible = (page: Page): Promise<void> =>
  eventually(async () => expect(await violations(page)).toEqual([]));

/** Violations of WCAG 2.2 AA and of good practice that axe-core finds on the page as it is: rule, and the first place. */
async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe);
  const { violations: found } = (await page.evaluate(
    `axe.run(document, { runOnly: ${JSON.stringify(WCAG)} })`,
  )) as AxeResults;
  return found.map(
    ({ id, impact, nodes }) =>
      `${impact} ${id}, ${nodes.length} times: ${nodes[0]?.target} ${nodes[0]?.failureSummary}`,
  );
}

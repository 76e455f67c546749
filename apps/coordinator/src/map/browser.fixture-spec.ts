/** Chromium for the specs of the pages (the name keeps it out of the build and out of Jest's list). */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { AxeResults } from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';
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
  const foreign: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !/^(?:blob|data):/.test(url)) foreign.push(url);
  });
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(new URL(path, origin).href);
  return { page, foreign, complaints };
}

export const shotPath = (name: string): string => fileURLToPath(new URL(`${name}.png`, shots));
export const shot = (page: Page, name: string) => page.screenshot({ path: shotPath(name) });

/** Waits until the map has drawn what it was given. */
export async function settled(page: Page): Promise<void> {
  await page.waitForTimeout(100);
  await page.locator('.map[aria-busy=false]').waitFor();
}

export const focusedText = (page: Page): Promise<string> =>
  page.evaluate('document.activeElement.textContent.replace(/[▲▼]/g, "").trim()');

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Violations of WCAG 2.2 AA and of good practice that axe-core finds on the page as it is: rule, and the first place. */
export async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe);
  const { violations: found } = (await page.evaluate(
    `axe.run(document, { runOnly: ${JSON.stringify(WCAG)} })`,
  )) as AxeResults;
  return found.map(
    ({ id, impact, nodes }) =>
      `${impact} ${id}, ${nodes.length} times: ${nodes[0]?.target} ${nodes[0]?.failureSummary}`,
  );
}

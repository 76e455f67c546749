/** Reports on the whole area and forecasts, in Chromium, over a whole federation: asked for by forms, read, exported, governed. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { cellToText } from '#libs/grid';
import { ANALYST, eventually, RunningProgram } from '#libs/testing';
import { accessible, addressed, reads, settled, shot } from './browser.fixture-spec.js';
import {
  AT,
  finding,
  key,
  late,
  places,
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

/** Method, sources and hashes, as beside every other result. */
const explained = async (page: Page, method: string) => {
  const details = page.locator('.method');
  await details.getByText('Method, uncertainty, limits').click();
  for (const part of ['What the uncertainty means', 'Limits', 'Sources', `analyse ${method}`])
    await reads(details, part);
  for (const { id } of await releases()) await reads(details, id);
  await accessible(page);
  await details.getByText('Method, uncertainty, limits').click();
};

describe('a report on the whole area', () => {
  const report = (page: Page, name: string) => page.getByRole('region', { name, exact: true });

  it('concentration: Gini with its range, Lorenz curve and its table, and the files', async () => {
    const { page, foreign, complaints } = await open(`show=concentration&resolution=9&${AT}`);
    const shown = report(page, 'Concentration');
    await finding(page).waitFor();
    await reads(finding(page), /^Gini 0\.\d\d \(likely 0\.\d\d to [01]\.\d\d\)/);
    await reads(shown, /\d+ of 1,801 hexagons \([\d.]+ %\) hold a quarter of the incidents/);
    await reads(shown, /\d+ of 1,801 hexagons \([\d.]+ %\) hold half of the incidents/);
    await shown.locator('.chart .curve').waitFor();
    await shown.getByText('The curve as a table').click();
    await eventually(async () => {
      const shares = await shown.getByRole('row').allTextContents();
      expect([shares.length, shares[1], shares.at(-1)]).toEqual([
        22,
        '0.0 %0.0 %',
        '100.0 %100.0 %',
      ]);
    });
    await explained(page, 'concentration');
    await settled(page);
    await shot(page, 'report-concentration');
    const csv = (await saved(page, page.getByRole('button', { name: 'Result as CSV' }))).toString();
    expect(csv).toMatch(/# method: concentration, version \d+\r\n/);
    expect(csv).toMatch(/# citation: Weisburd 2015/);
    expect(csv).toMatch(/\r\nshareOfCells,shareOfIncidents\r\n0,0\r\n/);
    const json = JSON.parse(
      (await saved(page, page.getByRole('link', { name: 'JSON of the result' }))).toString(),
    );
    expect(json).toMatchObject({ method: 'concentration', parameters: { resolution: 9 } });
    expect(json.rows).toHaveLength(21);
    expect([foreign, complaints]).toEqual([[], []]);
    await page.close();
  });

  it('evaluation: teaches, takes both areas by keyboard and name, and says what it found', async () => {
    const { page, complaints } = await open(`show=evaluation&${AT}`);
    await page.getByRole('heading', { name: 'Did it work?' }).waitFor();
    await accessible(page);
    await shot(page, 'report-evaluation-empty');
    // The middle of the map and the hexagon beside it, without a mouse.
    const treated = page.getByRole('group', { name: /^Treated area/ });
    await treated.getByRole('button', { name: 'Choose hexagons on the map' }).focus();
    await page.keyboard.press('Enter');
    await treated.getByRole('button', { name: 'Done choosing', pressed: true }).waitFor();
    await settled(page);
    await page.locator('canvas').focus();
    await page.keyboard.press('Enter');
    await treated.getByRole('button', { name: /^Remove [0-9a-f]+$/ }).waitFor();
    await reads(treated.getByRole('status'), '1 hexagon.');
    await addressed(page, /treated=[0-9a-f]{15}&/);
    await page.keyboard.press('Escape');
    await treated.getByRole('button', { name: 'Choose hexagons on the map' }).waitFor();

    const control = page.getByRole('group', { name: /^Control area/ });
    await control.getByRole('combobox').fill('<b>');
    await page.keyboard.press('Enter');
    await reads(control.getByRole('status'), 'Enter the name of a local authority, or up to 200');
    await control.getByRole('combobox').fill('Nowhere');
    await page.keyboard.press('Enter');
    await reads(control.getByRole('status'), 'No local authority is called so.');
    await control.getByRole('combobox').fill('Bristol, City of');
    await page.keyboard.press('Enter');
    await reads(
      control.getByRole('status'),
      /^[\d,]+ counted hexagons with their centre in Bristol/,
    );
    await page
      .getByRole('alert')
      .getByText('The treated area and the control area share a hexagon.')
      .waitFor();
    await control.getByRole('combobox').fill('South Gloucestershire');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await page.getByLabel('The intervention began in').selectOption('2023-09');
    await finding(page).waitFor();

    const shown = report(page, 'Evaluation');
    await reads(
      finding(page),
      /^About [\d,.]+ (?:more|fewer) incidents|^No effect that stands out/,
    );
    await reads(finding(page), /four times in five\.$/);
    const effects = shown.getByRole('table', {
      name: '8 months before and 4 months from September 2023 on',
    });
    for (const method of ['Weighted displacement difference', 'Difference in differences'])
      await effects.getByRole('rowheader', { name: method }).waitFor();
    await reads(effects, /4 months on each side of the start together; chosen to judge by/);
    await reads(effects, /[+−]?[\d.,]+ ?[+−]?[\d.,]+ to [+−]?[\d.,]+/);
    const power = shown.getByRole('table', {
      name: /^Power of the weighted displacement difference at ε \d+\.\d\d a release$/,
    });
    await reads(power, /10 %[^%]+ %20 %[^%]+ %30 %[^%]+ %50 %[^%]+ %$/);
    await page.getByLabel('Months before').selectOption('2');
    await page.getByLabel('Months from then on').selectOption('3');
    await shown
      .getByRole('table', { name: '2 months before and 3 months from September 2023 on' })
      .waitFor();
    await addressed(page, /control=South\+Gloucestershire&start=2023-09&before=2&after=3/);
    await shown.getByText('All areas as a table').click();
    await shown.getByRole('rowheader', { name: 'July 2023' }).waitFor();
    await reads(shown, /About [\d,]+ \(likely [\d,]+ to [\d,]+\)/);
    await reads(key(page), 'Control area');
    await explained(page, 'evaluation');
    await settled(page);
    await shot(page, 'report-evaluation');
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('evaluation: adds what moved next door, by pasted hexagons and their own control', async () => {
    const [treated, control, moved, movedControl] = [late, ...places].map((place) =>
      Array.from(place, cellToText).join(),
    );
    const { page, complaints } = await open(
      `show=evaluation&treated=${treated}&control=${control}&start=2023-09&${AT}`,
    );
    await finding(page).waitFor();
    await page.getByText('Displacement: did crime move next door?').click();
    const displacement = page.getByRole('group', { name: /^Displacement area/ });
    await displacement.getByRole('combobox').fill(String(moved).replaceAll(',', ' '));
    await page.keyboard.press('Enter');
    await reads(displacement.getByRole('status'), '7 hexagons.');
    await page
      .getByRole('status')
      .getByText('Choose a control of the displacement area too')
      .waitFor();
    const its = page.getByRole('group', { name: /^Control of the displacement area/ });
    await its.getByRole('combobox').fill(String(moved));
    await page.keyboard.press('Enter');
    await page
      .getByRole('alert')
      .getByText(/displacement area share a hexagon/)
      .waitFor();
    await its.getByRole('combobox').fill(String(movedControl));
    await page.keyboard.press('Enter');
    await addressed(page, new RegExp(`displacementControl=${movedControl}&`));
    const shown = report(page, 'Evaluation');
    await reads(shown.locator('.effects'), /together, displacement included; chosen to judge by/);
    await shown.getByText('Displacement (solid)').waitFor();
    await reads(key(page), 'Control of the displacement area');
    // The same numbers for whoever computes it anew.
    await explained(page, 'evaluation');
    await reads(page.locator('.method pre'), `--displacement-control ${movedControl}`);
    const csv = (await saved(page, page.getByRole('button', { name: 'Result as CSV' }))).toString();
    expect(csv).toMatch(
      /\r\nmonth,treated,treatedNoiseSd,control,.*displacementControlNoiseSd\r\n/,
    );
    await page.getByRole('button', { name: 'Show all areas on the map' }).click();
    await settled(page);
    await shot(page, 'report-displacement');
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('evaluation: mixes a synthetic control from pasted areas, and says when they are too few', async () => {
    const [control, ...others] = places.map((place) => Array.from(place, cellToText).join());
    const { page, complaints } = await open(
      `show=evaluation&method=did&treated=${Array.from(late, cellToText).join()}&control=${control}&start=2023-09&${AT}`,
    );
    await finding(page).waitFor();
    await reads(finding(page), /^About [\d,.]+ more incidents a month than the control/);
    await page.getByLabel('Judged by').selectOption('Synthetic control');
    const donors = page.getByRole('group', { name: /^Comparison areas/ });
    const paste = (text: string) =>
      page.evaluate(`{
        const clipboardData = new DataTransfer();
        clipboardData.setData('text', ${JSON.stringify(text)});
        document.querySelector('.area.donor input')
          .dispatchEvent(new ClipboardEvent('paste', { clipboardData, cancelable: true }));
      }`);
    await paste(others.slice(0, 3).join('\n'));
    await reads(donors.getByRole('status'), '3 chosen. With fewer than 19');
    await reads(finding(page), /^Too few comparison areas.*only with 19 or more\.$/);
    await accessible(page);
    await paste(['<b>', ...others.slice(3, 18)].join('\n'));
    await reads(donors.getByRole('status'), 'Enter the name of a local authority');
    await donors.getByRole('button', { name: 'Choose one more on the map' }).click();
    await settled(page);
    await page.locator('canvas').focus();
    await page.keyboard.press('Enter');
    await reads(donors.getByRole('list'), /Hexagons 191 hexagon\./);
    await page.keyboard.press('Escape');
    await reads(
      finding(page),
      /^About [\d,.]+ (?:more|fewer) incidents a month than the synthetic control|^No effect that stands out/,
    );
    const shown = report(page, 'Evaluation');
    await reads(shown.locator('.effects'), /mix of 19 areas; chosen to judge by/);
    await shown.getByText('Synthetic control (dashed)').waitFor();
    await shown.getByText('What the synthetic control is mixed of').click();
    await eventually(async () => {
      const weights = await shown.locator('details[open] td').allTextContents();
      const sum = weights.reduce((total, text) => total + Number.parseFloat(text), 0);
      expect([weights.length, Math.round(sum)]).toEqual([19, 100]);
    });
    await addressed(page, /method=synthetic&.*&donor=[0-9a-f,]+&donor=/);
    await explained(page, 'evaluation');
    await settled(page);
    await shot(page, 'report-synthetic');
    await donors.getByRole('button', { name: 'Remove: Hexagons 19' }).click();
    await reads(donors.getByRole('status'), '18 chosen.');
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('plan: the finest hexagons of each category within a budget', async () => {
    const { page, complaints } = await open(`show=plan&epsilon=8&${AT}`);
    await reads(finding(page), /^[012] of 2 categories within the budget/);
    const shown = report(page, 'Plan');
    const table = shown.getByRole('table', { name: 'Finest hexagons of each category' });
    for (const category of ['Drugs', 'Robbery'])
      await table.getByRole('rowheader', { name: category }).waitFor();
    await reads(table, /km²\d+\.\d\d/);
    await shown.getByText('Every resolution, each category alone').click();
    await reads(shown, /Robbery0\.11\u00a0km²/);
    await explained(page, 'plan');
    await shot(page, 'report-plan');
    await page.getByLabel('Privacy loss of the whole year').fill('0.2');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('That is too little').waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });
});

describe('a forecast', () => {
  const layer = 'robbery-next-month';
  const run = async (...args: string[]): Promise<number | null> =>
    (await new RunningProgram([...args, '--url', site.federation.url]).ended).code;

  it('teaches how it is switched on while nobody answers for one', async () => {
    const { page } = await open(`show=forecast&${AT}`);
    await page.getByRole('heading', { name: 'No forecast is switched on' }).waitFor();
    await page.getByText('npx concordat forecast enable --help').waitFor();
    await accessible(page);
    await shot(page, 'forecast-off');
    await page.close();
  });

  it('is never without owner, fairness figures, back-test and limits', async () => {
    site.federation.nowMs = Date.now();
    const enabled = await run(
      ...['forecast', 'enable', '--layer', layer, '--owner', ANALYST],
      ...['--key', join(site.federation.dir, 'analyst.pem'), '--purpose', 'hotspot-policing'],
      ...['--category', 'robbery', '--json'],
    );
    expect(enabled).toBe(0);
    const { page, complaints } = await open(`show=forecast&${AT}`);
    await finding(page).waitFor();
    await settled(page);
    const fairness = key(page).getByRole('table', { name: 'Whom it serves, whom the noise fails' });
    // In the key over the map, not below a fold.
    await fairness.waitFor();
    await eventually(async () => {
      const box = await fairness.boundingBox();
      expect((box?.y ?? 9999) + (box?.height ?? 0)).toBeLessThan(780);
      expect(await fairness.getByRole('rowheader').count()).toBe(6);
    });
    await reads(key(page), /Last back-test: [\d.]+ % of incidents/);
    await reads(key(page), 'Places are scored, never people');
    await reads(page.getByRole('region', { name: 'Owner' }), ANALYST);
    await page.getByText('sending attention changes what is recorded').first().waitFor();
    // Rate and count of every place, each as a range.
    const table = page.getByRole('table', { name: /^Forecast: \d+ of \d+ in view/ });
    await eventually(async () => {
      const [, ...cells] = await table
        .locator('tbody tr')
        .first()
        .locator('td, th')
        .allTextContents();
      expect(cells).toEqual([
        expect.stringMatching(/^[\d.,]+ to [\d.,]+$/),
        expect.stringMatching(/^\d+(?: to \d+)?$/),
        expect.stringMatching(/ %$/),
      ]);
    });
    await table.locator('tbody button').first().click();
    await reads(
      page.getByRole('region', { name: 'Chosen hexagon' }),
      /Likely to be recorded there in that period: \d+(?: to \d+)? incidents/,
    );
    await page.getByText('Model card').click();
    const card = page.locator('.card');
    await card.getByRole('heading', { name: `Forecast layer ${layer}` }).waitFor();
    await reads(card, `concordat forecast disable --layer ${layer}`);
    await card.getByRole('columnheader', { name: 'misses by noise' }).waitFor();
    await accessible(page);
    await shot(page, 'forecast');
    // It leaves with its figures, not without.
    const csv = (
      await saved(page, page.getByRole('button', { name: 'CSV', exact: true }))
    ).toString();
    expect(csv).toMatch(/# record: Last back-test: [\d.]+ % of incidents/);
    expect(csv.match(/# fairness: Deprivation fifth /g)).toHaveLength(6);
    expect(csv).toMatch(/\r\ncell,chosen,mean,low,high,countLow,countHigh,probabilityTop\r\n/);
    expect(complaints).toEqual([]);
    await page.close();
  });
});

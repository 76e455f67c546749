/** A query in one sentence that a data controller without a technical background can agree or disagree with. */
import { type Category, categoryName } from './category.js';
import { dayToDate } from './civil-day.js';
import { areaResolution, type LinkedSide } from './linked-people.js';
import { daysOf, isWeek, monthsOf, weeksWithin } from './period.js';
import type { Query } from './query.js';

/** Average H3 cell areas in square kilometres, https://h3geo.org/docs/core-library/restable. */
const AREA: Readonly<Record<number, string>> = {
  4: '1,770 square kilometres',
  5: '253 square kilometres',
  6: '36 square kilometres',
  7: '5 square kilometres',
  8: '74 hectares',
  9: '11 hectares',
};

/** Average area of one cell of a resolution 4 to 9, to stand inside a sentence. */
export const cellAreaName = (resolution: number): string => AREA[resolution] ?? 'unknown size';

const MONTH_NAMES =
  'January February March April May June July August September October November December'.split(
    ' ',
  );

const monthName = (month: string): string =>
  `${MONTH_NAMES[Number(month.slice(5, 7)) - 1]} ${month.slice(0, 4)}`;

const listed = (items: readonly string[]): string =>
  items.length < 2 ? items.join() : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;

const spanName = (months: readonly string[]): string => {
  const [first = '', last = first] = [months[0], months.at(-1)];
  return first === last ? monthName(first) : `${monthName(first)} to ${monthName(last)}`;
};

const dayName = (day: number): string => {
  const date = dayToDate(day);
  return `${Number(date.slice(8))} ${monthName(date)}`;
};

/** `in each of the 4 weeks from Monday 1 January 2024 to Sunday 28 January 2024` */
function describeWeeks(weeks: readonly string[]): string {
  const first = daysOf(weeks[0] as string).firstDay;
  const last = daysOf(weeks.at(-1) as string).lastDay;
  if (weeksWithin(first, last).length !== weeks.length) {
    return `in each of the weeks that begin on ${listed(weeks.map((week) => dayName(daysOf(week).firstDay)))}`;
  }
  const days = `from Monday ${dayName(first)} to Sunday ${dayName(last)}`;
  return weeks.length === 1
    ? `in the week ${days}`
    : `in each of the ${weeks.length} weeks ${days}`;
}

function describePeriods(periods: readonly string[]): string {
  if (periods.every(isWeek)) return describeWeeks(periods);
  const months = periods.flatMap(monthsOf);
  const span = spanName(months);
  const gapless = months.every((month, i) => {
    const before = months[i - 1];
    return before === undefined || monthsOf(`${before}/${month}`).length === 2;
  });
  if (periods.length === 1) return months.length === 1 ? `in ${span}` : `over ${span} as a whole`;
  if (gapless && months.length === periods.length) {
    return `in each of the ${months.length} months ${span}`;
  }
  return `in each of ${listed(periods.map((period) => spanName(monthsOf(period))))}`;
}

const sideText = ({ agency, roles, categories }: LinkedSide, asked: readonly Category[]): string =>
  `${agency} for ${listed((categories ?? asked).map(categoryName))}${roles ? ` as ${listed(roles.map((role) => role.replaceAll('-', ' ')))}` : ''}`;

const areaName = (area: string): string => {
  if (area === 'total') return 'all its area';
  if (/^[EW]/.test(area)) return `the local authority ${area}`;
  return `the cell ${area} of about ${cellAreaName(areaResolution(area))}`;
};

/** The sentence of a `linked-people` query, which names no cells. */
function describeLinked(query: Query, linkage: NonNullable<Query['linkage']>): string {
  const where = areaName(linkage.area);
  return (
    `How many different people are known to ${sideText(linkage.left, query.categories)}, in ${where}, and also to ` +
    `${sideText(linkage.right, query.categories)}, ${describePeriods(query.periods)}, ` +
    `by labels of the linkage project "${linkage.project}", epoch "${linkage.epoch}", ` +
    `as one number, for the purpose "${query.purpose}", ` +
    `with random noise added at a privacy cost of rho ${query.rho} to each agency?`
  );
}

/**
 * One plain-English sentence: what, where, when, from whom, why, and what it costs. It is made from the canonical
 * query alone, so the sentence a person approved is the query that runs.
 */
export function describeQuery(query: Query): string {
  if (query.linkage) return describeLinked(query, query.linkage);
  const what = listed(query.categories.map(categoryName));
  const who = query.agencies ? `by ${listed(query.agencies)}` : 'by every agency';
  const when = describePeriods(query.periods);
  const asked =
    query.measure === 'people'
      ? `How many different people are named in incidents of ${what} recorded ${who} ${when}, ` +
        'each person counted once a month and kind of incident, in one place, '
      : `How many incidents of ${what} were recorded ${who} ${when}, `;
  return (
    asked +
    `in areas as small as about ${cellAreaName(query.resolution)}, ` +
    (query.sealed ? 'sealed, so that only the sum over all who answer is seen, ' : '') +
    `for the purpose "${query.purpose}", ` +
    `with random noise added to every figure at a privacy cost of rho ${query.rho}?`
  );
}

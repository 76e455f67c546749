export { CATEGORIES, type Category, categoryName } from './category.js';
export { dateToDay, dayToDate, londonDay, parseInstant } from './civil-day.js';
export { accountingYears, canonicalPeriod, daysOf, monthsOf, periodsOverlap } from './period.js';
export {
  canonicaliseQuery,
  type Fingerprint,
  fingerprint,
  groupsOf,
  Query,
  QueryError,
  type QueryGroup,
} from './query.js';
export { cellAreaName, describeQuery } from './sentence.js';

export {
  type AnswerBounds,
  answerBounds,
  answerNoise,
  INCIDENT_UNIT,
  type PrivacyUnit,
} from './answer-bounds.js';
export { CATEGORIES, type Category, categoryName } from './category.js';
export { dateToDay, dayToDate, londonDay, parseInstant } from './civil-day.js';
export { areaResolution, LinkedPeople, type LinkedSide } from './linked-people.js';
export {
  accountingYears,
  canonicalPeriod,
  daysOf,
  isWeek,
  monthsOf,
  periodsOverlap,
  weekOfDay,
  weeksWithin,
} from './period.js';
export {
  canonicaliseQuery,
  type Fingerprint,
  fingerprint,
  groupsOf,
  MEASURES,
  type Measure,
  Query,
  QueryError,
  type QueryGroup,
} from './query.js';
export { cellAreaName, describeQuery } from './sentence.js';

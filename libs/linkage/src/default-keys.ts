/**
 * Key sets that ship, learned on Febrl 1, 2 and 3 (Christen 2008) by `concordat linkage learn`; see the README for the calls.
 */
import { type MatchKey, parseKeySet } from './match-key.js';
import { RULES_VERSION } from './standardise.js';

/** 20 keys on names, date and address, then keys that read the identity number. Some read surname and address alone and
 * join the members of a household: for files of unrelated people. */
export const DEFAULT_KEYS: readonly MatchKey[] = parseKeySet({
  format: 'concordat/match-keys/v1',
  rules: RULES_VERSION,
  keys: [
    ['date-digits', 'street-4', 'postcode-sorted'],
    ['places-sorted-4', 'town-4', 'region'],
    ['names-sorted-2', 'date', 'region'],
    ['surname-2', 'house-digits', 'town-4', 'postcode-sorted'],
    ['date', 'town-4', 'sector'],
    ['names-sorted-2', 'street-4', 'sector'],
    ['date', 'house-digits', 'street-4'],
    ['places-sorted-4', 'postcode-sorted', 'region'],
    ['street-4', 'town', 'postcode-sorted'],
    ['date', 'house-digits', 'postcode-sorted'],
    ['names-sorted-2', 'street-4', 'town-4'],
    ['surname-2', 'date', 'town-4'],
    ['forename-sound', 'town-4', 'postcode', 'region'],
    ['date', 'street-skeleton', 'region'],
    ['names-sorted-2', 'house', 'locality-4', 'region'],
    ['surname-3', 'street-skeleton', 'postcode-sorted', 'region'],
    ['surname-2', 'date', 'sector'],
    ['names-sorted-2', 'town', 'postcode-sorted'],
    ['house-digits', 'street-4', 'town-4', 'sector'],
    ['forename-2', 'date', 'postcode-sorted'],
    ['postcode-sorted', 'id-number'],
    ['date', 'region', 'id-digits'],
    ['street-4', 'town-4', 'id-digits'],
    ['surname-2', 'id-number'],
  ],
});

/** 12 keys that each read forename or date of birth, then those with the identity number: for files with families. */
export const HOUSEHOLD_SAFE_KEYS: readonly MatchKey[] = parseKeySet({
  format: 'concordat/match-keys/v1',
  rules: RULES_VERSION,
  keys: [
    ['date-digits', 'street-4', 'postcode-sorted'],
    ['surname-2', 'date', 'town-4'],
    ['names-sorted-2', 'places-sorted-4'],
    ['date', 'house-digits', 'sector'],
    ['names-sorted-2', 'town-4', 'postcode-sorted', 'region'],
    ['year-day', 'places-sorted-4'],
    ['forename-2', 'house-digits', 'street-4', 'town-4'],
    ['names-sorted-2', 'date', 'region'],
    ['year-month', 'town-4', 'postcode-sorted', 'region'],
    ['names-sorted-2', 'street-4', 'sector'],
    ['forename-3', 'house-digits', 'town-4', 'postcode-sorted'],
    ['year-day', 'street-4', 'town-4'],
    ['postcode-sorted', 'id-number'],
    ['date', 'region', 'id-digits'],
    ['street-4', 'town-4', 'id-digits'],
    ['surname-2', 'id-number'],
  ],
});

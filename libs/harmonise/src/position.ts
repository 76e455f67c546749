/** Positions in decimal degrees (WGS84): what is refused, and why. */
import type { Rejection } from './rejection.js';

/** A box around the United Kingdom, Rockall to Lowestoft and Scilly to Shetland, in degrees. */
const UK = { south: 49.5, north: 61, west: -14, east: 2.5 };

const DECIMAL = /^[+-]?[0-9]{1,3}(?:\.[0-9]*)?$/;

const inUk = (latitude: number, longitude: number): boolean =>
  latitude > UK.south && latitude < UK.north && longitude > UK.west && longitude < UK.east;

/** Degrees from text, NaN for anything but a plain decimal (`1e1`, `0x1F`, `51,4`, blank). */
export const parseDegrees = (text: string): number => (DECIMAL.test(text) ? Number(text) : NaN);

/** Why a pair cannot be a place, or undefined. A place outside the country is no fault: it is counted as outside. */
export function positionFault(latitude: number, longitude: number): Rejection | undefined {
  if (latitude === 0 && longitude === 0) return 'zero-coordinates';
  if (inUk(latitude, longitude)) return undefined;
  if (inUk(longitude, latitude)) return 'swapped-coordinates';
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? undefined : 'bad-coordinates';
}

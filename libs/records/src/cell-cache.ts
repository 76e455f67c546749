import { cellAt } from '#libs/grid';

const SLOTS = 1 << 17;

/**
 * `cellAt(latitude, longitude, 9)` with a memory: published points are snapped to some ten thousand places, and the cell is
 * the dearest step of a row. Direct-mapped: a slot holds the last point that fell on it, so memory is fixed at 3 MiB.
 */
export function cachedCells(): (latitude: number, longitude: number) => bigint {
  const latitudes = new Float64Array(SLOTS);
  const longitudes = new Float64Array(SLOTS);
  // 0 is no cell, so an empty slot never passes for an answer.
  const cells = new BigUint64Array(SLOTS);
  const point = new Float64Array(2);
  const words = new Uint32Array(point.buffer);
  return (latitude, longitude) => {
    point[0] = latitude;
    point[1] = longitude;
    let mixed = Math.imul((words[0] ?? 0) ^ (words[1] ?? 0), 0x9e3779b1);
    mixed = Math.imul(mixed ^ (mixed >>> 15) ^ (words[2] ?? 0) ^ (words[3] ?? 0), 0x85ebca77);
    const slot = (mixed >>> 15) & (SLOTS - 1);
    const known = cells[slot] ?? 0n;
    if (known !== 0n && latitudes[slot] === latitude && longitudes[slot] === longitude)
      return known;
    const cell = cellAt(latitude, longitude, 9);
    latitudes[slot] = latitude;
    longitudes[slot] = longitude;
    cells[slot] = cell;
    return cell;
  };
}

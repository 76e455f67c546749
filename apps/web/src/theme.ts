import { useEffect, useState } from 'preact/hooks';

type Rgb = readonly [number, number, number];

/** Colours of the map itself; those around it are in style.css. Values have their own in palette.ts and statistics.ts. */
export interface Theme {
  readonly name: 'light' | 'dark';
  readonly sea: string;
  readonly abroad: string;
  readonly land: string;
  /** Counted, and nothing found by the statistic on show. */
  readonly quiet: string;
  readonly border: string;
  readonly force: string;
  readonly mesh: string;
  readonly text: string;
  readonly halo: string;
  readonly selected: string;
  readonly selectedHalo: string;
  /** Line and ground of the hatch where no agency covers. */
  readonly hatch: readonly [Rgb, Rgb];
  /** Dot and ground where a count cannot be told from zero. */
  readonly dots: readonly [Rgb, Rgb];
}

export const LIGHT: Theme = {
  name: 'light',
  sea: '#d3dbe0',
  abroad: '#e9ecee',
  land: '#fbfaf8',
  quiet: '#f3f1ec',
  border: '#4a5761',
  force: '#2b3740',
  mesh: '#ffffff',
  text: '#20292f',
  halo: '#ffffffee',
  selected: '#0b0c0c',
  selectedHalo: '#ffdd00',
  hatch: [
    [150, 158, 164],
    [222, 226, 228],
  ],
  dots: [
    [163, 172, 179],
    [251, 250, 248],
  ],
};

export const DARK: Theme = {
  name: 'dark',
  sea: '#0d151b',
  abroad: '#1a2329',
  land: '#151c21',
  quiet: '#1b2429',
  border: '#7d8b96',
  force: '#a9b6c0',
  mesh: '#0d151b',
  text: '#eef2f5',
  halo: '#0d151be6',
  selected: '#0b0c0c',
  selectedHalo: '#ffdd00',
  hatch: [
    [92, 104, 113],
    [44, 53, 60],
  ],
  dots: [
    [96, 110, 120],
    [24, 32, 37],
  ],
};

const DARK_WANTED = '(prefers-color-scheme: dark)';

/** What the reader's system asks for, also when it changes while the page is open. */
export function useTheme(): Theme {
  const [dark, setDark] = useState(() => matchMedia(DARK_WANTED).matches);
  useEffect(() => {
    const query = matchMedia(DARK_WANTED);
    const follow = () => setDark(query.matches);
    query.addEventListener('change', follow);
    return () => query.removeEventListener('change', follow);
  }, []);
  return dark ? DARK : LIGHT;
}

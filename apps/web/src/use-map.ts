import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Basemap, loadBasemap } from './basemap.js';
import { type Camera, type MapEvents, MapView } from './map-view.js';
import type { Theme } from './theme.js';
import type { Fetched } from './use-releases.js';
import type { Bounds } from './viewport.js';

export function useBasemap(url: string): Fetched<Basemap> {
  const [state, setState] = useState<Fetched<Basemap>>({ loading: true });
  useEffect(() => {
    loadBasemap(url).then(
      (value) => setState({ value, loading: false }),
      () =>
        setState({
          loading: false,
          problem: 'The background map did not load. Reload the page.',
        }),
    );
  }, [url]);
  return state;
}

/** The map in a container, opened again in other colours when the theme changes. Events always reach the newest handlers. */
export function useMap(
  container: RefObject<HTMLDivElement | null>,
  workerUrl: string,
  basemap: Basemap | undefined,
  theme: Theme,
  camera: Camera,
  events: MapEvents,
): { readonly map: RefObject<MapView | undefined>; readonly bounds: Bounds | undefined } {
  const map = useRef<MapView | undefined>(undefined);
  const [bounds, setBounds] = useState<Bounds>();
  const latest = useRef({ camera, events });
  latest.current = { camera, events };
  useEffect(() => {
    if (!basemap || !container.current) return;
    const opened = MapView.open(
      container.current,
      workerUrl,
      basemap,
      theme,
      latest.current.camera,
      {
        onMove: (moved, box) => {
          setBounds(box);
          latest.current.events.onMove(moved, box);
        },
        onPick: (...place) => latest.current.events.onPick(...place),
        onClose: () => latest.current.events.onClose(),
      },
    );
    map.current = opened;
    return () => {
      map.current = undefined;
      opened.close();
    };
  }, [container, basemap, workerUrl, theme]);
  return { map, bounds };
}

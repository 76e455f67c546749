import type { FeatureCollection } from 'geojson';
import {
  type GeoJSONSource,
  Map as MapLibreMap,
  NavigationControl,
  Popup,
  ScaleControl,
  setWorkerUrl,
} from 'maplibre-gl';
import { cellAt, cellBoundary, type Resolution } from '#libs/grid';
import type { Basemap } from './basemap.js';
import type { Ring } from './domain-cells.js';
import { CELLS, FOUND, MARKS, MESH, mapStyle, patterns, SELECTED, UNCOVERED } from './map-style.js';
import type { Theme } from './theme.js';
import type { Bounds } from './viewport.js';

export interface Camera {
  readonly zoom: number;
  readonly latitude: number;
  readonly longitude: number;
}

/** A hexagon to draw; `shade` names a colour of map-style.ts. */
export interface DrawnCell {
  readonly ring: Ring;
  readonly shade: string;
}

/** One that a statistic found: later ones are drawn above. */
export interface DrawnFind extends DrawnCell {
  readonly cell: string;
  readonly rank: number;
  /** Drawn as a mark where it is too small to be seen. */
  readonly isMarked: boolean;
}

export interface MapEvents {
  /** The view came to rest. */
  readonly onMove: (camera: Camera, bounds: Bounds) => void;
  /** A place was clicked, or Enter was pressed with the place under the cross; `found` is the finding that is drawn there. */
  readonly onPick: (longitude: number, latitude: number, found: string | undefined) => void;
  readonly onClose: () => void;
}

/** Width of the key and its margin; style.css knows it too. */
const KEY_PX = 352;
/** Mean edge of an H3 cell of resolution 0; each finer resolution divides it by the square root of 7. */
const RESOLUTION_0_EDGE_M = 1_281_256;

/** The MapLibre map, reduced to what the page needs. */
export class MapView {
  readonly #map: MapLibreMap;
  readonly #popup = new Popup({ closeOnClick: false, maxWidth: '380px', focusAfterOpen: false });

  /** The page takes the popup away itself: nobody closed it. */
  #clearing = false;
  /** Sources exist from the first `load` on. */
  #loaded = false;

  private constructor(map: MapLibreMap) {
    this.#map = map;
  }

  static open(
    container: HTMLElement,
    workerUrl: string,
    basemap: Basemap,
    theme: Theme,
    camera: Camera,
    events: MapEvents,
  ): MapView {
    setWorkerUrl(workerUrl);
    const map = new MapLibreMap({
      container,
      style: mapStyle(basemap, theme),
      center: [camera.longitude, camera.latitude],
      zoom: camera.zoom,
      minZoom: 4.5,
      maxZoom: 14,
      maxBounds: [
        [-14, 47.5],
        [9, 61.5],
      ],
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      locale: { 'Map.Title': 'Map. Arrow keys move, plus and minus zoom, Enter reads the centre.' },
    });
    map.touchZoomRotate.disableRotation();
    map.addControl(new NavigationControl({ showCompass: false }), 'top-right');
    map.addControl(new ScaleControl({ unit: 'metric' }), 'bottom-left');
    const images = patterns(theme);
    map.setMissingStyleImageResolver((id) => {
      const image = images[id as keyof typeof images];
      if (image && !map.hasImage(id)) map.addImage(id, image, { pixelRatio: 2 });
    });
    // The key covers the right edge of a wide window: the centre is that of the free part.
    const leaveRoomForKey = (): void => {
      map.setPadding({ right: container.clientWidth > 2 * KEY_PX ? KEY_PX : 0 });
    };
    leaveRoomForKey();
    map.on('resize', leaveRoomForKey);
    const view = new MapView(map);
    view.#listen(events);
    return view;
  }

  get bounds(): Bounds {
    const bounds = this.#map.getBounds();
    return {
      west: bounds.getWest(),
      south: bounds.getSouth(),
      east: bounds.getEast(),
      north: bounds.getNorth(),
    };
  }

  get camera(): Camera {
    const { lng, lat } = this.#map.getCenter();
    return { zoom: this.#map.getZoom(), latitude: lat, longitude: lng };
  }

  #listen({ onMove, onPick, onClose }: MapEvents): void {
    const map = this.#map;
    map.on('load', () => {
      this.#loaded = true;
      onMove(this.camera, this.bounds);
    });
    map.on('movestart', () => this.#setBusy(true));
    map.on('idle', () => this.#setBusy(false));
    map.on('moveend', () => onMove(this.camera, this.bounds));
    map.on('click', ({ lngLat, point }) => onPick(lngLat.lng, lngLat.lat, this.#foundAt(point)));
    map.getCanvas().style.cursor = 'crosshair';
    map.getCanvas().addEventListener('keydown', ({ key }) => {
      const { lng, lat } = map.getCenter();
      if (key === 'Enter') onPick(lng, lat, this.#foundAt(map.project([lng, lat])));
      if (key === 'Escape') onClose();
    });
    this.#popup.on('close', () => {
      if (!this.#clearing) onClose();
    });
  }

  /** Finding drawn at a place of the canvas, within a finger's width of a mark. */
  #foundAt({ x, y }: { readonly x: number; readonly y: number }): string | undefined {
    const near = 6;
    const [mark] = this.#map.queryRenderedFeatures(
      [
        [x - near, y - near],
        [x + near, y + near],
      ],
      { layers: [MARKS] },
    );
    const [found] = mark ? [mark] : this.#map.queryRenderedFeatures([x, y], { layers: [FOUND] });
    return found?.properties.cell;
  }

  /**
   * Draws covered cells, and with them the land that nobody covers; undefined while it is not known which is which. Edges show once a
   * hexagon is wide enough to have any.
   */
  draw(cells: readonly DrawnCell[] | undefined, resolution: number): void {
    if (!this.#loaded) return;
    this.#map.setLayoutProperty(UNCOVERED, 'visibility', cells ? 'visible' : 'none');
    const wide = this.#pixelsAcross(resolution) > 9;
    this.#map.setLayoutProperty(MESH, 'visibility', wide ? 'visible' : 'none');
    this.#setBusy(true);
    void this.#source(CELLS)?.setData(hexagons(cells ?? []));
  }

  /** Draws findings over the cells: as hexagons, or as marks where those are too small to be seen. */
  drawFound(found: readonly DrawnFind[], resolution: number): void {
    if (!this.#loaded) return;
    const small = this.#pixelsAcross(resolution) < 5;
    // Outlines of what is so small would cover it.
    this.#map.setPaintProperty(FOUND, 'fill-antialias', !small);
    this.#map.setLayoutProperty(MARKS, 'visibility', small ? 'visible' : 'none');
    this.#setBusy(true);
    void this.#source(FOUND)?.setData(hexagons(found));
    void this.#source(MARKS)?.setData({
      type: 'FeatureCollection',
      features: found
        .filter(({ isMarked }) => isMarked)
        .map(({ ring, ...properties }) => ({
          type: 'Feature',
          geometry: { type: 'Point', coordinates: middle(ring) },
          properties,
        })),
    });
  }

  /** The canvas as it was last drawn. */
  picture(): Promise<HTMLCanvasElement> {
    return new Promise((resolve) => {
      this.#map.once('render', () => {
        const source = this.#map.getCanvas();
        const copy = document.createElement('canvas');
        copy.width = source.width;
        copy.height = source.height;
        // In the same task as the drawing: afterwards the buffer is empty.
        copy.getContext('2d')?.drawImage(source, 0, 0);
        resolve(copy);
      });
      this.#map.triggerRepaint();
    });
  }

  #setBusy(busy: boolean): void {
    this.#map.getContainer().ariaBusy = String(busy);
  }

  #pixelsAcross(resolution: number): number {
    const metres = (2 * RESOLUTION_0_EDGE_M) / 7 ** (resolution / 2);
    const { lat } = this.#map.getCenter();
    const metresPerPixel = (78_271.5 * Math.cos((lat * Math.PI) / 180)) / 2 ** this.#map.getZoom();
    return metres / metresPerPixel;
  }

  /** Outlines a cell and says what it holds. `content` is built by the page, never from HTML text. */
  select(cell: bigint, at: readonly [number, number], content: HTMLElement): void {
    void this.#source(SELECTED)?.setData({
      type: 'Feature',
      geometry: { type: 'Polygon', coordinates: [cellBoundary(cell)] },
      properties: {},
    });
    this.#popup.setLngLat([at[0], at[1]]).setDOMContent(content);
    if (!this.#popup.isOpen()) this.#popup.addTo(this.#map);
  }

  clearSelection(): void {
    void this.#source(SELECTED)?.setData({ type: 'FeatureCollection', features: [] });
    this.#clearing = true;
    this.#popup.remove();
    this.#clearing = false;
  }

  show({ west, south, east, north }: Bounds): void {
    const box: [number, number, number, number] = [west, south, east, north];
    this.#map.fitBounds(box, { padding: 40, maxZoom: 12, animate: false });
  }

  centreOn(longitude: number, latitude: number): void {
    this.#map.easeTo({ center: [longitude, latitude] });
  }

  jumpTo({ zoom, latitude, longitude }: Camera): void {
    this.#map.jumpTo({ zoom, center: [longitude, latitude] });
  }

  cellAt(longitude: number, latitude: number, resolution: number): bigint {
    return cellAt(latitude, longitude, resolution as Resolution);
  }

  #source(id: string): GeoJSONSource | undefined {
    return this.#map.getSource<GeoJSONSource>(id);
  }

  close(): void {
    this.#map.remove();
  }
}

const hexagons = (cells: readonly DrawnCell[]): FeatureCollection => ({
  type: 'FeatureCollection',
  features: cells.map(({ ring, ...properties }) => ({
    type: 'Feature',
    geometry: { type: 'Polygon', coordinates: [ring as [number, number][]] },
    properties,
  })),
});

/** Mean of the corners of a closed ring. */
function middle(ring: Ring): [number, number] {
  const corners = ring.slice(1);
  const mean = (axis: 0 | 1): number =>
    corners.reduce((sum, corner) => sum + corner[axis], 0) / corners.length;
  return [mean(0), mean(1)];
}

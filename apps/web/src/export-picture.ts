/** The view as a picture that explains itself: map, key, and where the numbers come from. */
import { fairnessText, type Provenance } from './export-data.js';
import type { LegendModel, Look } from './legend-model.js';
import type { Theme } from './theme.js';

const KEY = 330;
const MARGIN = 14;
const SMALL = 18;
const FONT = 'system-ui, "Liberation Sans", Arial, sans-serif';
const INKS = {
  light: { ink: '#0b0c0c', quiet: '#4a5459', paper: '#ffffff', rule: '#7c8890' },
  dark: { ink: '#eef2f5', quiet: '#a9b5be', paper: '#10171c', rule: '#71808b' },
} as const;

type Pen = CanvasRenderingContext2D;
type Inks = (typeof INKS)[Theme['name']];

/** Words that fit a width, line by line; a word that is too long stands alone. */
function wrapped(pen: Pen, text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line ? `${line} ${word}` : word;
    if (line && pen.measureText(longer).width > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

/** Writes a paragraph and answers where the next one starts. */
function write(
  pen: Pen,
  text: string,
  [x, y, width]: readonly [number, number, number],
  style: { readonly size: number; readonly bold?: boolean; readonly colour: string },
): number {
  pen.font = `${style.bold ? 700 : 400} ${style.size}px ${FONT}`;
  pen.fillStyle = style.colour;
  const lines = wrapped(pen, text, width);
  const step = style.size * 1.35;
  lines.forEach((line, i) => {
    pen.fillText(line, x, y + step * i + style.size);
  });
  return y + step * lines.length + 3;
}

function swatch(pen: Pen, { fill, striped }: Look, x: number, y: number, theme: Theme): void {
  const rgb = ([r, g, b]: readonly [number, number, number]): string => `rgb(${r} ${g} ${b})`;
  const texture = fill === 'hatch' ? theme.hatch : fill === 'dots' ? theme.dots : undefined;
  pen.save();
  pen.beginPath();
  pen.rect(x, y, 30, 15);
  pen.clip();
  pen.fillStyle = texture ? rgb(texture[1]) : fill;
  pen.fillRect(x, y, 30, 15);
  if (texture) pen.fillStyle = pen.strokeStyle = rgb(texture[0]);
  else pen.strokeStyle = theme.name === 'light' ? '#ffffffb0' : '#000000b0';
  if (fill === 'dots') {
    for (let dx = 3; dx < 30; dx += 6)
      for (let dy = 3; dy < 15; dy += 6) pen.fillRect(x + dx, y + dy, 2, 2);
  } else if (fill === 'hatch' || striped) {
    for (let dx = -15; dx < 30; dx += 6) {
      pen.beginPath();
      pen.moveTo(x + dx, y + 15);
      pen.lineTo(x + dx + 15, y);
      pen.stroke();
    }
  }
  pen.restore();
  pen.strokeStyle = INKS[theme.name].rule;
  pen.strokeRect(x + 0.5, y + 0.5, 29, 14);
}

/** The key, top to bottom; answers where it ends. */
function drawKey(pen: Pen, model: LegendModel, x: number, top: number, theme: Theme): number {
  const { ink, quiet } = INKS[theme.name];
  const width = KEY - 2 * MARGIN;
  const small = { size: 12, colour: quiet };
  let y = write(pen, model.title, [x, top, width], { size: 17, bold: true, colour: ink });
  y = write(pen, model.when, [x, y, width], { size: 13, bold: true, colour: ink });
  y = write(pen, model.unit, [x, y, width], small) + 4;
  const looks = [
    ...model.scales.flatMap(({ name, colours, texts }) =>
      colours.map((fill, i) => ({
        fill,
        text: `${texts[i]}${i === 0 ? ` (${name.toLowerCase()})` : ''}`,
      })),
    ),
    ...model.looks,
  ];
  for (const look of looks) {
    swatch(pen, look, x, y + 2, theme);
    y = Math.max(
      y + SMALL,
      write(pen, look.text, [x + 38, y, width - 38], { size: 12, colour: ink }),
    );
  }
  y += 4;
  if (model.note) y = write(pen, model.note, [x, y, width], small);
  for (const line of model.fairness ?? []) {
    y = write(pen, fairnessText(line), [x, y, width], small);
  }
  for (const sentence of model.record) y = write(pen, sentence, [x, y, width], small);
  for (const [term, text] of model.facts) {
    y = write(pen, `${term}: ${text}`.replace(/^: /, ''), [x, y, width], small);
  }
  return y;
}

/** Whole hashes, question, cost and sources under the map. */
function drawProvenance(
  pen: Pen,
  provenance: Provenance,
  width: number,
  top: number,
  inks: Inks,
): number {
  let y = top;
  for (const name of [
    'questions',
    'releases',
    'queries',
    'result',
    'epsilon_per_release',
    'address',
    'attribution',
  ]) {
    for (const text of [provenance[name] ?? []].flat()) {
      const words = `${name.replaceAll('_', ' ')}: ${text}`;
      y = write(pen, words, [MARGIN, y, width - 2 * MARGIN], { size: 11, colour: inks.quiet });
    }
  }
  return y;
}

/** Draws map, key and provenance onto one canvas. `scale` is how many of the map's pixels stand for one of the screen. */
export function picture(
  map: HTMLCanvasElement,
  scale: number,
  model: LegendModel,
  provenance: Provenance,
  theme: Theme,
): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  const pen = canvas.getContext('2d');
  if (!pen) throw new Error('this browser draws no pictures');
  const inks = INKS[theme.name];
  const mapWidth = map.width / scale;
  const mapHeight = map.height / scale;
  const width = mapWidth + KEY;
  // Measured first: a canvas loses its drawing when it changes size.
  const bottom = Math.max(mapHeight, drawKey(pen, model, 0, MARGIN, theme) + MARGIN);
  const height = drawProvenance(pen, provenance, width, bottom + MARGIN, inks) + MARGIN;
  canvas.width = Math.ceil(width * scale);
  canvas.height = Math.ceil(height * scale);
  pen.scale(scale, scale);
  pen.fillStyle = inks.paper;
  pen.fillRect(0, 0, width, height);
  pen.drawImage(map, 0, 0, mapWidth, mapHeight);
  drawKey(pen, model, mapWidth + MARGIN, MARGIN, theme);
  drawProvenance(pen, provenance, width, bottom + MARGIN, inks);
  return canvas;
}

export const pngOf = (canvas: HTMLCanvasElement): Promise<Blob> =>
  new Promise((resolve, reject) =>
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error('this browser makes no PNG'))),
      'image/png',
    ),
  );

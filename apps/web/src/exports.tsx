import { useState } from 'preact/hooks';
import { save } from './save-file.js';

interface ExportsProps {
  readonly onCsv: () => string;
  readonly onGeoJson: () => string;
  readonly onPicture: () => Promise<Blob>;
  /** File name without its ending. */
  readonly stem: string;
}

/** The view as files. Each carries release, question and privacy cost, so that a number that travels can be traced. */
export function Exports({ onCsv, onGeoJson, onPicture, stem }: ExportsProps) {
  const [problem, setProblem] = useState<string>();
  const trying = (what: () => void | Promise<void>) => async () => {
    try {
      setProblem(undefined);
      await what();
    } catch {
      setProblem('The file could not be made. Try a smaller view.');
    }
  };
  return (
    <section class="exports" aria-label="Save this view">
      <p>Save this view, with where it comes from</p>
      <button type="button" onClick={trying(() => save(onCsv(), 'text/csv', `${stem}.csv`))}>
        CSV
      </button>
      <button
        type="button"
        onClick={trying(() => save(onGeoJson(), 'application/geo+json', `${stem}.geojson`))}
      >
        GeoJSON
      </button>
      <button
        type="button"
        onClick={trying(async () => save(await onPicture(), 'image/png', `${stem}.png`))}
      >
        Picture
      </button>
      {problem && <p role="alert">{problem}</p>}
    </section>
  );
}

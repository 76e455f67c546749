import 'maplibre-gl/dist/maplibre-gl.css';
import './style.css';
import './model-card.css';
import './reports/reports.css';
import { render } from 'preact';
import { App } from './app.js';

const root = document.getElementById('app');
if (root) {
  // The build writes both URLs into the page, because the files carry their hash in the name.
  const { worker = '', basemap = '' } = root.dataset;
  render(<App workerUrl={worker} basemapUrl={basemap} />, root);
}

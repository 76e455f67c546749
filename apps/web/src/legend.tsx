import type { FairnessLine, LegendModel, Look, ScaleModel } from './legend-model.js';

/** Always on: what is shown, how sure it is, at what cost to privacy, and what is missing. */
export function Legend({ model }: { readonly model: LegendModel }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll, and a keyboard has to reach what is below
    <section class="legend" aria-label="Key" tabIndex={0}>
      <h2>{model.title}</h2>
      <p class="legend-when">{model.when}</p>
      <p class="legend-unit">{model.unit}</p>
      {model.scales.length > 0 && (
        <div class="scales">
          {model.scales.map((scale) => (
            <Scale key={scale.name} {...scale} />
          ))}
        </div>
      )}
      <ul class="looks">
        {model.looks.map((look) => (
          <li key={look.text}>
            <Swatch {...look} />
            {look.text}
          </li>
        ))}
      </ul>
      {model.note && <p class="legend-note">{model.note}</p>}
      {model.fairness && <FairnessTable lines={model.fairness} />}
      {model.record.map((sentence) => (
        <p key={sentence} class="legend-note">
          {sentence}
        </p>
      ))}
      <dl>
        {model.facts.map(([term, text, whole]) => (
          <div key={`${term}${text}`}>
            <dt>{term}</dt>
            <dd class={whole ? 'mono' : undefined} title={whole}>
              {text}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

const TEXTURES = ['dots', 'hatch'];

function Swatch({ fill, striped }: Look) {
  const texture = TEXTURES.includes(fill);
  return (
    <span
      class={`swatch${texture ? ` ${fill}` : ''}${striped ? ' striped' : ''}`}
      style={texture ? undefined : { backgroundColor: fill }}
      aria-hidden="true"
    />
  );
}

/** In the key, so that it is on screen whenever the forecast is. */
function FairnessTable({ lines }: { readonly lines: readonly FairnessLine[] }) {
  return (
    <table class="fairness">
      <caption>Whom it serves, whom the noise fails</caption>
      <thead>
        <tr>
          <th scope="col">Deprivation fifth</th>
          <th scope="col" class="numeric">
            Chosen
          </th>
          <th scope="col" class="numeric">
            Residents
          </th>
          <th scope="col" class="numeric">
            Missed a month
          </th>
          <th scope="col" class="numeric">
            By noise
          </th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <tr key={line.quintile}>
            <th scope="row">{line.quintile}</th>
            <td class="numeric">{line.patrolShare}</td>
            <td class="numeric">{line.populationShare}</td>
            <td class="numeric">{line.misses}</td>
            <td class="numeric">{line.missesByNoise}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Scale({ name, colours, texts, limits }: ScaleModel) {
  return (
    <div class="scale">
      <p>{name}</p>
      <ol aria-label={name} style={{ gridTemplateColumns: `repeat(${texts.length}, 1fr)` }}>
        {colours.map((colour, i) => (
          <li key={colour}>
            <span class="bar" style={{ background: colour }} aria-hidden="true" />
            <span class="hidden">{texts[i]}</span>
            {limits[i] !== undefined && (
              <span class="limit" aria-hidden="true">
                {limits[i]}
              </span>
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}

import { type MarkedToken, marked, type Token } from 'marked';
import type { ComponentChild } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { fetchModelCard } from './layer-client.js';
import { save } from './save-file.js';
import { type Fetched, failed } from './use-releases.js';

type Card = Awaited<ReturnType<typeof fetchModelCard>>;

/** The card of a forecast layer, as the coordinator generates it from the newest run; read when it is opened. */
export function ModelCard({
  layer,
  result,
}: {
  readonly layer: string;
  /** Key of the run on show: another run has another card. */
  readonly result: string | undefined;
}) {
  const [isOpen, setOpen] = useState(false);
  const [card, setCard] = useState<Fetched<Card>>({ loading: false });
  useEffect(() => {
    if (!isOpen) return;
    const abort = new AbortController();
    setCard((old) => ({ ...(old.value && { value: old.value }), loading: true }));
    fetchModelCard(layer, abort.signal).then(
      (value) => setCard({ value, loading: false }),
      (error: unknown) => {
        if (abort.signal.aborted) return;
        setCard({ loading: false, problem: failed('The model card did not load', error) });
      },
    );
    return () => abort.abort();
  }, [isOpen, layer, result]);
  return (
    <details
      class="method card"
      open={isOpen}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary>Model card</summary>
      {card.problem && <p role="alert">{card.problem}</p>}
      {card.loading && !card.value && <p class="note">Loading…</p>}
      {card.value && (
        <>
          {marked.lexer(card.value.markdown).map(block)}
          <p class="buttons">
            <button
              type="button"
              onClick={() => save(card.value?.markdown ?? '', 'text/markdown', `${layer}.md`)}
            >
              Save as text
            </button>
            <button
              type="button"
              onClick={() => save(card.value?.json ?? '', 'application/json', `${layer}.json`)}
            >
              Save as JSON
            </button>
          </p>
        </>
      )}
    </details>
  );
}

/** A block of Markdown as elements, never as HTML text. The page has one heading above it; the card's own title is level 2. */
function block(token: Token, at: number): ComponentChild {
  const known = token as MarkedToken;
  switch (known.type) {
    case 'heading':
      return known.depth === 1 ? (
        <h2 key={at}>{known.tokens.map(inline)}</h2>
      ) : (
        <h3 key={at}>{known.tokens.map(inline)}</h3>
      );
    case 'paragraph':
      return <p key={at}>{known.tokens.map(inline)}</p>;
    case 'list':
      return (
        <ul key={at}>
          {known.items.map((item, i) => (
            <li key={i}>{item.tokens.map(block)}</li>
          ))}
        </ul>
      );
    case 'table':
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll, and a keyboard has to reach what is beside
        <section key={at} class="wide" tabIndex={0} aria-label="Figures">
          <table>
            <thead>
              <tr>
                {known.header.map(({ text, tokens }) => (
                  <th key={text} scope="col">
                    {tokens.map(inline)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {known.rows.map((row) => (
                <tr key={row[0]?.text}>
                  {row.map(({ tokens }, i) => (
                    <td key={known.header[i]?.text}>{tokens.map(inline)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      );
    case 'code':
      return (
        <pre key={at}>
          <code>{known.text}</code>
        </pre>
      );
    case 'space':
      return null;
    default:
      return inline(token, at);
  }
}

function inline(token: Token, at: number): ComponentChild {
  const known = token as MarkedToken;
  switch (known.type) {
    case 'strong':
      return <strong key={at}>{known.tokens.map(inline)}</strong>;
    case 'em':
      return <em key={at}>{known.tokens.map(inline)}</em>;
    case 'codespan':
      return <code key={at}>{known.text}</code>;
    case 'text':
      return known.tokens ? known.tokens.map(inline) : known.text;
    case 'escape':
      return known.text;
    default:
      return token.raw;
  }
}

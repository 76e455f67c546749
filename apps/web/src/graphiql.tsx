/** @jsxImportSource react */
import 'graphiql/style.css';
import './graphiql.css';
import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';
import { exampleQueries } from './example-queries.js';
import { fetchReleases, type Release } from './release-client.js';

/** One request, one answer: the endpoint takes no batches and streams nothing. */
async function ask(parameters: object): Promise<Record<string, unknown>> {
  const response = await fetch('/graphql', {
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify(parameters),
  });
  return response.json();
}

/** The newest release, so that examples run as they stand. */
const newestRelease = (): Promise<Release | undefined> =>
  fetchReleases(AbortSignal.timeout(10_000)).then(
    ([newest]) => newest,
    () => undefined,
  );

const root = document.getElementById('app');
if (root) {
  const examples = exampleQueries(await newestRelease());
  createRoot(root).render(
    <GraphiQL
      fetcher={ask}
      defaultTabs={examples}
      forcedTheme="light"
      shouldPersistHeaders={false}
    />,
  );
}

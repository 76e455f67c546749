/** @jsxImportSource react */
import 'graphiql/style.css';
import './graphiql.css';
import { GraphiQL } from 'graphiql';
import { parse } from 'graphql';
import { createRoot } from 'react-dom/client';
import { exampleQueries } from './example-queries.js';
import { fetchReleases, type Release } from './release-client.js';

interface GraphQLRequest {
  readonly query: string;
  readonly operationName?: string | null;
  readonly variables?: unknown;
}

/** One request, one answer: the endpoint takes no batches and streams nothing. */
async function ask({
  operationName,
  ...request
}: GraphQLRequest): Promise<Record<string, unknown>> {
  // Just after a change of tab it still is the name of the other tab's query; one query alone needs none.
  const parameters = isSingle(request.query) ? request : { ...request, operationName };
  const response = await fetch('/graphql', {
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify(parameters),
  });
  return response.json();
}

function isSingle(query: string): boolean {
  try {
    return parse(query).definitions.filter(({ kind }) => kind === 'OperationDefinition').length < 2;
  } catch {
    return false;
  }
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

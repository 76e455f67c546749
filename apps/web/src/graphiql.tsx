/** @jsxImportSource react */
import 'graphiql/style.css';
import './graphiql.css';
import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';

const START = `# Estimates carry noise:
# read low and high with them.
# Ctrl-Space completes,
# Ctrl-Enter runs.

{
  __typename
}
`;

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

const root = document.getElementById('app');
if (root) {
  createRoot(root).render(
    <GraphiQL
      fetcher={ask}
      defaultQuery={START}
      forcedTheme="light"
      shouldPersistHeaders={false}
    />,
  );
}

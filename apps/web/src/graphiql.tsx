/** @jsxImportSource react */
import 'graphiql/style.css';
import './graphiql.css';
import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';

const START = `# Figures here are estimates with noise: read low and high, not the estimate alone.
# Ctrl-Space completes, Ctrl-Enter runs. The book icon opens the schema.

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

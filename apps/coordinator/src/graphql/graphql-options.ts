import { unwrapResolverError } from '@apollo/server/errors';
import type { ApolloDriverConfig } from '@nestjs/apollo';
import type { GraphQLFormattedError } from 'graphql';
import { isConcordatError } from '#libs/bytes';

/** Longest document that is parsed at all; every query of the map, the CLI and the docs has a tenth of it. */
const MAX_TOKENS = 1_000;

/** Codes of ours reach the client as `extensions.code`; anything unexpected is `internal` and its text stays here. */
const formatError = (formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError => {
  const cause = unwrapResolverError(error);
  if (isConcordatError(cause)) {
    return { ...formatted, message: cause.message, extensions: { code: cause.code } };
  }
  const code = String(formatted.extensions?.code ?? 'INTERNAL_SERVER_ERROR');
  if (code !== 'INTERNAL_SERVER_ERROR') return { ...formatted, extensions: { code } };
  return {
    message: 'this is our fault; the log of the process names it',
    extensions: { code: 'internal' },
  };
};

/** Schema and limits of the endpoint. GraphiQL is a page of the web app, so Apollo's own landing page, which loads from the web, is off. */
export const graphqlOptions: Omit<ApolloDriverConfig, 'driver'> = {
  autoSchemaFile: true,
  sortSchema: true,
  path: '/graphql',
  playground: false,
  graphiql: false,
  introspection: true,
  csrfPrevention: true,
  allowBatchedHttpRequests: false,
  parseOptions: { maxTokens: MAX_TOKENS },
  hideSchemaDetailsFromClientErrors: false,
  includeStacktraceInErrorResponses: false,
  formatError,
  context: () => ({}),
};

import { unwrapResolverError } from '@apollo/server/errors';
import { costLimitRule } from '@escape.tech/graphql-armor-cost-limit';
import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth';
import type { ApolloDriverConfig } from '@nestjs/apollo';
import {
  type GraphQLError,
  type GraphQLFormattedError,
  recommendedRules,
  type ValidationContext,
} from 'graphql';
import { isConcordatError } from '#libs/bytes';

/** Longest document that is parsed at all; every query of the map, the CLI and the docs has a tenth of it. */
const MAX_TOKENS = 1_000;
/** Nesting of a document but for `__schema`; the schema itself is three deep. */
const MAX_DEPTH = 8;
/** Fields asked for under another name: what lets one document ask for one expensive thing many times. */
const MAX_ALIASES = 10;
/** Four full pages of cells with every field. Only sizes written into the document count; sizes in variables are bounded by aliases and pages. */
const MAX_COST = 500_000;

/** A limit that is exceeded is a validation error like any other: 400, and the other errors of the document are listed too. */
const refusing = {
  propagateOnRejection: false,
  onReject: [
    (context: ValidationContext | null, error: GraphQLError) => context?.reportError(error),
  ],
};

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
  validationRules: [
    // Introspection that asks for types of fields of types grows with a power of the schema.
    ...recommendedRules,
    maxDepthRule({ ...refusing, n: MAX_DEPTH }),
    maxAliasesRule({ ...refusing, n: MAX_ALIASES }),
    costLimitRule({ ...refusing, maxCost: MAX_COST }),
  ],
  hideSchemaDetailsFromClientErrors: false,
  includeStacktraceInErrorResponses: false,
  formatError,
  context: () => ({}),
};
